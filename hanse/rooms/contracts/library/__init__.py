"""The clause library: templates with worked figures, ready to register.

>>> "late-delivery" in names()
True
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def names() -> tuple[str, ...]:
    """The library's templates, by name."""
    return tuple(sorted(path.stem for path in HERE.glob("*.yaml")))


def text_of(name: str) -> str:
    """A template's YAML. Raises: KeyError."""
    if name not in names():
        raise KeyError(name)
    return (HERE / f"{name}.yaml").read_text()
