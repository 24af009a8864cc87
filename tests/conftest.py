"""A town whose pages are known, and the door of a process that only reads before it; one a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanse.site.testing import SmallTown, known_town
from tests.reader_door import Before


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    there = known_town(tmp_path_factory.mktemp("town"))
    yield there
    there.close()


@pytest.fixture(scope="module")
def before(town: SmallTown) -> Iterator[Before]:
    reader = Before(town)
    yield reader
    reader.close()
