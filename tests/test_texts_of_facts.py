"""Texts of facts: what a kind allows ends where its pattern ends, and no line more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from hanse.kernel.facts import END
from hanse.node.parts import rulebook


def patterns(kind: Any) -> Iterator[str]:
    """Of all texts in a JSON schema."""
    if isinstance(kind, dict):
        if isinstance(kind.get("pattern"), str):
            yield kind["pattern"]
        for part in kind.values():
            yield from patterns(part)
    elif isinstance(kind, list):
        for part in kind:
            yield from patterns(part)


def test_no_text_with_a_pattern_may_end_in_another_line() -> None:
    found = {p for cls in rulebook().kinds.values() for p in patterns(msgspec.json.schema(cls))}
    assert len(found) > 10
    assert [pattern for pattern in sorted(found) if not pattern.endswith(END)] == []


def unbounded(kind: Any, name: str) -> Iterator[str]:
    """The integers of a JSON schema that have no least or no greatest value, or one beyond 64 bits."""
    if isinstance(kind, dict):
        if kind.get("type") == "integer" and not (kind.get("minimum", -(2**64)) >= -(2**63)):
            yield name
        if kind.get("type") == "integer" and not (kind.get("maximum", 2**64) < 2**63):
            yield name
        for key, part in kind.items():
            yield from unbounded(part, f"{name}.{key}")
    elif isinstance(kind, list):
        for part in kind:
            yield from unbounded(part, name)


def test_every_number_of_a_fact_has_bounds() -> None:
    """A row may keep it as JSON text, where no column says how wide it may be."""
    found = {name for cls in rulebook().kinds.values() for name in unbounded(msgspec.json.schema(cls), cls.kind)}
    assert sorted(found) == []


@pytest.mark.parametrize("text", ["ann\n", "ann\n\n", "ann\r", "\nann", "ann\nbob"])
def test_an_identifier_of_two_lines_is_none(text: str) -> None:
    kinds = rulebook().kinds
    found = next(p for p in patterns(msgspec.json.schema(kinds["parties.join"])) if p.startswith("^[A-Za-z0-9][A-Za"))
    assert re.search(found, "ann") and not re.search(found, text)
