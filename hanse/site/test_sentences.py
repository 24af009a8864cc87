"""Every kind of fact has its sentence, and a sentence of nothing but withheld figures still reads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanse.node.parts import rulebook
from hanse.site import sentences
from hanse.site.testing import SmallTown


def test_every_kind_says_what_was_done() -> None:
    assert sorted(set(rulebook().kinds) - set(sentences.SAYS)) == []
    assert sorted(set(sentences.SAYS) - set(rulebook().kinds)) == []


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    there = SmallTown(tmp_path_factory.mktemp("town"))
    yield there
    there.close()


class _Nothing:
    """An entry of which its reader knows the kind alone."""

    figures: tuple[()] = ()
    mine = False
    circle = signer = signer_name = ""


@pytest.mark.parametrize("kind", sorted(sentences.SAYS))
def test_a_stranger_reads_a_sentence_without_figures(town: SmallTown, kind: str) -> None:
    said = sentences.SAYS[kind](sentences.Figures(town.node.view(""), _Nothing()))  # type: ignore[arg-type]
    assert said and not said.endswith((" ", ":", ",")) and "{" not in said
