"""From sheets to rows under way: good ones into the store, wrong ones onto the fix list, whole orders or none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from hanse.importers.applying import Batch, Result, natural_key, stream
from hanse.importers.facts_store import Staged, Store
from hanse.importers.mapping import MappingFile, Section, sheet_for
from hanse.importers.refusal import Bad, ImportRefused, Problem
from hanse.importers.tables import Sheet
from hanse.importers.targets import TARGETS, target
from hanse.importers.transform import column_function
from hanse.importers.values import Value

WRONG_ROWS_MAX = 50_000
"""Above that the mapping is wrong, not the rows."""
_GROUPS = {
    "stock": ("site", "item", "lot"),
    "orders": ("kind", "order"),
    "receipts": ("order",),
    "terms": ("supplier",),
}
"""What is signed as one thing: half an order is another order, so one wrong line holds back the others."""
INCOMPLETE = "correct the other lines of the same order, then import it whole"
_json = msgspec.json.Encoder(order="sorted").encode
Told = Callable[[str, int, int], None]
"""(step, done, in all or 0 where that is not known)"""


@dataclass(slots=True)
class Taken:
    """One section's rows. result: as `applying.Result` without its good rows. good: how many are under way."""

    result: Result
    sheet: Sheet
    good: int = 0
    held_back: set[str] = field(default_factory=set)
    """Groups of which a row could not be read."""


def group_of(target_name: str, values: Mapping[str, Value]) -> str:
    """The group that a row belongs to, "" for a row that stands alone.

    >>> group_of("orders", {"kind": "sale", "order": "7", "item": "A"})
    '["sale","7"]'
    """
    names = _GROUPS.get(target_name)
    return _json([values.get(name) or "" for name in names]).decode() if names else ""


def take_in(store: Store, mapping: MappingFile, sheets: Sequence[Sheet], told: Told) -> list[Taken]:
    """Read every section whose sheet is there into the store.

    Raises ImportRefused, in order: as `applying.apply`; import.mostly_wrong.
    """
    pairs = [(section, sheet_for(section, sheets)) for section in mapping.sections if section.target in TARGETS]
    if not any(sheet for _, sheet in pairs):
        wanted = ", ".join(dict.fromkeys(section.source for section in mapping.sections))
        got = ", ".join(sheet.name for sheet in sheets)
        step = "choose another mapping"
        raise ImportRefused("mapping.no_sheet", "no sheet of this mapping is there", got, wanted, step)
    taken: list[Taken] = []
    for section, sheet in pairs:
        if sheet is None:
            continue
        one = Taken(Result(section, sheet.columns), sheet)
        taken.append(one)
        for batch in stream(section, sheet, sheets):
            _keep(store, one, batch, len(taken) - 1)
            told(f"reading {sheet.name}", one.good + len(one.result.bad_cells), 0)
    store.index()
    for number, one in enumerate(taken):
        for grp in sorted(one.held_back):
            rows = [row for row in store.group(one.result.section.target, grp) if row.n and row.section == number]
            mark_wrong(store, taken, rows, "", "row.group_incomplete", "", "every line of it readable", INCOMPLETE)
    return taken


def _keep(store: Store, one: Taken, batch: Batch, number: int) -> None:
    section = one.result.section
    name = section.target
    rows = []
    for row in batch.good:
        values = {key: value for key, value in row.values.items() if value is not None}
        text = _json(values)
        mark = hashlib.sha256(text).digest()[:16]
        key = _json(natural_key(name, row.values)).decode()
        rows.append((name, key, group_of(name, values), mark, number, row.number, text.decode()))
    before = store.conn.total_changes
    store.stage(rows)
    stood = store.conn.total_changes - before
    one.good += stood
    result = one.result
    result.merged += batch.merged + len(rows) - stood
    result.bad += batch.bad
    result.bad_cells |= batch.bad_cells
    result.skipped += batch.skipped
    if len(result.bad_cells) > WRONG_ROWS_MAX:
        raise ImportRefused(
            "import.mostly_wrong",
            f"more than {WRONG_ROWS_MAX} rows of {section.source} are wrong",
            result.bad[0].sentence(),
            "a mapping that fits this file",
            "look at the mapping first",
        )
    if name in _GROUPS and batch.bad_cells:
        one.held_back |= _groups_of_bad(section, one.sheet, batch)


def _groups_of_bad(section: Section, sheet: Sheet, batch: Batch) -> set[str]:
    """The groups that wrong rows would have belonged to, where their cells still tell."""
    if section.target not in ("orders", "receipts"):
        return set()
    places = {name: at for at, name in enumerate(sheet.columns)}
    cells = [row for row in batch.bad_cells.values() if len(row) == len(sheet.columns)]
    if not cells:
        return set()
    columns = list(zip(*cells, strict=True))
    goal, found = target(section.target), []
    for name in _GROUPS[section.target]:
        how = section.fields.get(name)
        if how is None:
            found.append([None] * len(cells))
        elif how.lookup:
            return set()
        else:
            found.append(column_function(how, goal.field(name), places, {})(columns))  # type: ignore[arg-type]
    groups = set()
    for parts in zip(*found, strict=True):
        if not any(isinstance(part, Problem) for part in parts):
            names = dict(zip(_GROUPS[section.target], parts, strict=True))
            groups.add(group_of(section.target, names))
    return groups


def mark_wrong(
    store: Store, taken: Sequence[Taken], rows: Sequence[Staged], column: str, code: str, got: str, expected: str,
    step: str,
) -> None:  # fmt: skip
    """Take rows out of the import and put them onto the fix list of their section; rows of earlier imports stay."""
    for row in rows:
        if not row.n:
            continue
        one = taken[row.section]
        one.result.bad.append(Bad(row.row, column, code, got[:80], expected, step))
        one.result.bad_cells.setdefault(row.row, [])
        one.good -= 1
    store.drop(row.n for row in rows if row.n)


def fetch_cells(one: Taken) -> None:
    """Fetch the cells of rows that turned out wrong after they were read, for the fix list."""
    missing = {number for number, cells in one.result.bad_cells.items() if not cells}
    if not missing:
        return
    for chunk in one.sheet.chunks():
        for number, cells in zip(chunk.numbers, chunk.cells, strict=True):
            if number in missing:
                one.result.bad_cells[number] = list(cells)
    one.result.bad.sort(key=lambda bad: bad.row)
