"""For tests: a firm on a node of its own, and tables as they are typed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hanse.importers import MappingFile, ready
from hanse.importers.facts import Imported, imported
from hanse.importers.facts_choose import choose_mapping
from hanse.importers.tables import Sheet, read
from hanse.node import joining
from hanse.node.desk import Desk, Who
from hanse.node.node import Node


@contextmanager
def firm(directory: Path, party: str = "acme") -> Iterator[Desk]:
    """The desk of a firm's owner; its network is founded at the first call."""
    with Node(directory, create=not directory.exists(), helper=False) as node:
        joining.found(node, party, network="Acme", name=party.title(), kind="distributor", country="DE", city="Hamburg")
        yield Desk(node, Who(party))


def sheet(name: str, text: str) -> Sheet:
    """A table by its name and its CSV text; lines may be indented."""
    lines = [line.strip() for line in text.strip().splitlines()]
    (one,) = read("\n".join(lines).encode(), name)
    return one


def bring(desk: Desk, mapping: MappingFile | None = None, *, dry_run: bool = False, **tables: str) -> Imported:
    """Import tables of the plain bundle, or by a mapping, or as they are guessed."""
    sheets = [sheet(name, text) for name, text in tables.items()]
    used = mapping or (
        ready("hanse") if all(name in BUNDLE for name in tables) else choose_mapping(sheets, desk.node.directory)[0]
    )
    return imported(desk, sheets, used, dry_run=dry_run)


BUNDLE = frozenset(
    {"parties", "sites", "items", "stock", "orders", "receipts", "offers", "sourcing", "terms", "tariffs"}
)


def entries(desk: Desk) -> int:
    """Facts on the record, block headers and timers left out."""
    from hanse.kernel.leaves import read_entry

    leaves = desk.node.log.segment.iterate(0, desk.node.log.size)
    return sum(read_entry(leaf).form in ("fact", "batched") for leaf in leaves)


def stock(desk: Desk) -> dict[tuple[str, str, str], int]:
    """(site, own number, lot) -> on hand, each."""
    from hanse.rooms.inventory.facts import STOCK

    view = desk.view
    rows: Any = view.rows(STOCK, "circle = ?", (view.home,), limit=100_000)
    return {(row.site, row.own_number, row.lot): row.on_hand_each for row in rows}
