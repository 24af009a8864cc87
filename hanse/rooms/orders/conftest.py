"""What the tests of this room's pages share: a town with goods on the shelf, and two people in it.

A module that needs more of its town takes this one and adds to it, by a fixture of the same name; so for other roles.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanse.site.testing import SmallTown, Visitor


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    """A town whose sellers have a thousand of the bearing."""
    there = SmallTown(tmp_path_factory.mktemp("town"), stock_each=1_000)
    yield there
    there.close()


@pytest.fixture(scope="module")
def ann(town: SmallTown) -> Visitor:
    """The owner of the firm that buys."""
    return town.visitor("ann")


@pytest.fixture(scope="module")
def bob(town: SmallTown) -> Visitor:
    """A seller of the firm that sells."""
    return town.visitor("bob", "seller")
