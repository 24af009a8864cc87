"""Read JSON and NDJSON as sheets of texts; numbers keep the digits that were written."""

import json
from typing import Any

from hanse.importers.dialect import Dialect, encoding_of
from hanse.importers.refusal import ImportRefused
from hanse.importers.tables import Limits, Rows, Sheet, header_of, safe_name


def read_documents(content: bytes, name: str, limits: Limits) -> list[Sheet]:
    """Read a list of objects (one sheet), an object of such lists (one sheet each), or one object a line.

    Nested objects become columns with a dot (`address.city`); lists within a row stay JSON text. Row numbers count the
    objects after a header, as if it were a table: the first object is row 2.
    Raises ImportRefused, in order: table.broken, table.empty, table.too_many_columns, table.too_many_cells.

    >>> (sheet,) = read_documents(b'[{"item": "001", "q": 1.50}, {"item": "2", "to": {"city": "Kiel"}}]', "x", Limits())
    >>> sheet.columns, sheet.head()
    (('item', 'q', 'to.city'), [['001', '1.50', ''], ['2', '', 'Kiel']])
    """
    text = content.decode(encoding_of(content[: 1 << 20]), errors="replace").replace("\0", "\ufffd")
    found = _parse(text)
    if isinstance(found, dict):
        lists = {key: value for key, value in found.items() if isinstance(value, list) and _objects(value)}
        tables = lists or {name: [found]}
    else:
        tables = {name: found}
    sheets = [_sheet(safe_name(str(key)), rows, limits) for key, rows in tables.items() if rows]
    if not sheets:
        raise ImportRefused("table.empty", "the file has no rows", "", "a list of objects", "export again")
    return sheets


def _objects(rows: list[Any]) -> bool:
    return bool(rows) and all(isinstance(row, dict) for row in rows)


def _loads(text: str) -> Any:
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


def _parse(text: str) -> Any:
    try:
        try:
            found = _loads(text)
        except json.JSONDecodeError as whole:
            lines = [line for line in text.splitlines() if line.strip()]
            if len(lines) < 2 or not lines[0].lstrip("\ufeff ").startswith("{"):
                raise whole
            found = [_loads(line) for line in lines]
    except json.JSONDecodeError as wrong:
        message = f"line {wrong.lineno} is no JSON"
        raise ImportRefused("table.broken", message, wrong.msg, "JSON or one object a line", "export again") from wrong
    except RecursionError as wrong:
        raise ImportRefused(
            "table.broken", "the JSON is nested too deeply", "", "plain rows", "export again"
        ) from wrong
    if isinstance(found, list) and not _objects(found) and found:
        raise ImportRefused("table.broken", "the list holds other things than objects", "", "objects", "export again")
    if not isinstance(found, list | dict):
        raise ImportRefused("table.broken", "the file holds no rows", "", "a list of objects", "export again")
    return found


def _flat(row: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in row.items():
        if isinstance(value, dict) and depth < 5:
            flat |= _flat(value, f"{prefix}{key}.", depth + 1)
        elif isinstance(value, str):
            flat[prefix + key] = value
        elif value is None:
            flat[prefix + key] = ""
        else:
            flat[prefix + key] = json.dumps(value, ensure_ascii=False)
    return flat


def _sheet(name: str, rows: list[dict[str, Any]], limits: Limits) -> Sheet:
    flat = [_flat(row) for row in rows]
    keys = list(dict.fromkeys(key for row in flat for key in row))
    columns = header_of(keys or ["value"], limits)
    if len(columns) * len(flat) > limits.cells_max:
        raise ImportRefused("table.too_many_cells", "too many cells", f"{len(flat)} x {len(columns)}", "", "split it")
    body = [(number, [row.get(key, "") for key in keys]) for number, row in enumerate(flat, 2)]

    def iterate() -> Rows:
        yield from body

    return Sheet(name, columns, iterate, Dialect("json", "", "."), limits)
