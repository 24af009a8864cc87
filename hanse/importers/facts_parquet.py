"""The record and the state as Parquet files, as far as one party may see them, for people's own analytics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from hanse.kernel.entries import Entry
from hanse.kernel.facts import layout
from hanse.kernel.leaves import read_entry, read_header
from hanse.kernel.reading import count_digests, read
from hanse.kernel.refusal import Refused
from hanse.kernel.tables import Table
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.node.node import Node
from hanse.node.parts import rulebook

PART_ROWS = 100_000
_FACTS = {
    "position": pl.Int64, "height": pl.Int64, "time": pl.Int64, "outcome": pl.String, "kind": pl.String,
    "signer": pl.String, "kid": pl.String, "circle": pl.String, "mine": pl.Boolean, "withheld": pl.Int64,
    "body": pl.String,
}  # fmt: skip
"""Columns of `facts`. time: ledger time, UTC seconds. body: what the reader may read of the fact, as JSON. withheld:
how many of its fields are not disclosed to the reader."""
Told = Callable[[str, int, int], None]


def facts_to_parquet(desk: Desk, folder: Path, told: Told = lambda what, done, all: None) -> list[Path]:
    """Write every fact of the record as `facts-00000.parquet`, ...; the paths. Refuses: export.not_empty."""
    _make(folder)
    paths: list[Path] = []
    size = desk.node.log.size
    rows: list[tuple[Any, ...]] = []
    for row in _facts(desk.node, desk.view, size):
        rows.append(row)
        if len(rows) == PART_ROWS:
            paths.append(_write(folder, "facts", len(paths), rows, _FACTS))
            rows = []
            told("facts", row[0], size)
    paths.append(_write(folder, "facts", len(paths), rows, _FACTS))
    return paths


def _facts(node: Node, view: View, size: int) -> Iterator[tuple[Any, ...]]:
    height = time = 0
    mine = set(view.circles)
    for position, leaf in enumerate(node.log.segment.iterate(0, size)):
        entry = read_entry(leaf)
        if entry.form == "block":
            header = read_header(entry)
            height, time = header.height, header.time
        elif entry.form in ("fact", "batched"):
            yield (position, height, time, entry.outcome, *_shown(node, entry, position, mine))


def _shown(node: Node, entry: Entry, position: int, mine: set[str]) -> tuple[Any, ...]:
    kinds = node.applier.book.kinds
    public = read(kinds, entry.body, batch=entry.batch)
    circle = getattr(public.fact, "circle", "")
    body, withheld = public.fact, count_digests(public.fact, layout(type(public.fact)))
    if circle in mine:
        stored = node.disclosures.of(position)
        opened = read(kinds, entry.body, stored, entry.batch)
        if opened.full is not None:
            body, withheld = opened.full, withheld - len(stored)
    envelope = public.envelope
    text = msgspec.json.encode(body).decode()
    return envelope.kind, envelope.iss, envelope.kid, circle, circle in mine, withheld, text


def tables_to_parquet(desk: Desk, folder: Path, told: Told = lambda what, done, all: None) -> list[Path]:
    """Write every table as `<table>-00000.parquet`, ..., circle tables narrowed to the party's circles; the paths.

    Refuses: export.not_empty.
    """
    _make(folder)
    tables = rulebook().tables
    paths: list[Path] = []
    for done, of in enumerate(tables, 1):
        paths += _table(desk.view, of, folder)
        told("tables", done, len(tables))
    return paths


def _table(view: View, of: Table[Any], folder: Path) -> list[Path]:
    """One table's files; none for a table without a row to show."""
    key, columns = ", ".join(of.key), ", ".join(of.columns)
    kinds = {"INTEGER": pl.Int64, "TEXT": pl.String, "BLOB": pl.Binary}
    shape = {name: kinds[_affinity(of, name)] for name in of.columns}
    paths: list[Path] = []
    after: tuple[Any, ...] = ()
    while True:
        marks = ", ".join("?" * len(of.key))
        where = f"WHERE ({key}) > ({marks})" if after else ""
        sql = f"SELECT {columns} FROM {{{of.name}}} {where} ORDER BY {key} LIMIT {PART_ROWS}"
        rows = view.sql(sql, after, tables=(of,))
        if not rows:
            return paths
        paths.append(_write(folder, of.name, len(paths), rows, shape))
        after = tuple(rows[-1][of.columns.index(name)] for name in of.key)


def _affinity(of: Table[Any], name: str) -> str:
    declared = next(line for line in of.ddl()[0].split("(", 1)[1].split(", ") if line.split(" ", 1)[0] == name)
    return declared.split(" ")[1]


def _write(folder: Path, name: str, part: int, rows: list[tuple[Any, ...]], shape: dict[str, Any]) -> Path:
    path = folder / f"{name}-{part:05d}.parquet"
    pl.DataFrame(rows, schema=shape, orient="row").write_parquet(path)
    return path


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.glob("*.parquet")):
        raise Refused("export.not_empty", "there are Parquet files already", got=folder, next="name another folder")
