"""A small network on the disk for tests: the registrar `office`, the members `anna` and `bert`, who trade."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from hanse.node import joining
from hanse.node.node import Node
from hanse.rooms.parties.facts import SetSite


@cache
def _made() -> Path:
    """The network, founded once a process; its first 28 entries or so."""
    folder = tempfile.mkdtemp(prefix="hanse-town-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    directory = Path(folder) / "node"
    with Node(directory, create=True, helper=False) as node:
        joining.found(node, "office", network="Town", name="Office")
        for party in ("anna", "bert"):
            joining.host(node, party, name=party.title(), city="Bremen")
        joining.relationship(node, "anna", "bert")
    return directory


def town(target: Path) -> Path:
    """A copy of the network's data directory, closed and clean."""
    shutil.copytree(_made(), target)
    return target


def site(node: Node, party: str, name: str, number: int = 0) -> SetSite:
    """A fact with commercial fields and a personal one, in the party's home."""
    return SetSite(
        circle=node.view(party).home,
        site=f"site-{number}",
        name=name,
        site_kind="warehouse",
        country="DE",
        city="Bremen",
        latitude_microdeg=53_079_296 + number,
        longitude_microdeg=8_801_694,
        address="Am Markt 1",
    )
