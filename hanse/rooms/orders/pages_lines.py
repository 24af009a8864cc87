"""The lines of a form: a few at first, more at a button, at most as many as an order has.

Its fields are `item1`, `each1`, `item2` ... The button posts the form with `more`: it comes back with what was typed
and more lines, nothing done. `lines` says how many were shown, so that a refused form comes back as long as it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hanse.rooms.orders.facts import LINES_MAX
from hanse.web import Refusal

FIRST = 5
STEP = 5
_ITEM = re.compile(r"item([1-9][0-9]{0,8})", re.ASCII)


def numbers(given: Mapping[str, Any]) -> range:
    """The line numbers that a form shows.

    >>> numbers({}), numbers({"lines": "5", "more": "1"}), numbers({"item12": "SKF 6205"})
    (range(1, 6), range(1, 11), range(1, 13))
    """
    said = str(given.get("lines", ""))
    shown = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else FIRST
    shown = max(FIRST, shown, *_named(given), 0) + (STEP if given.get("more") else 0)
    return range(1, min(shown, LINES_MAX) + 1)


def named(given: Mapping[str, Any]) -> list[int]:
    """The lines that name an item, in order. Refuses, in order: form.too_many_lines, form.nothing_chosen."""
    found = sorted(_named(given))
    if found and found[-1] > LINES_MAX:
        raise Refusal("form.too_many_lines", f"An order has at most {LINES_MAX} lines.", got=found[-1],
                      expected=f"at most {LINES_MAX}", next="Split it into several.")  # fmt: skip
    if not found:
        raise Refusal("form.nothing_chosen", "Name at least one item.")
    return found


def _named(given: Mapping[str, Any]) -> list[int]:
    return [int(fits[1]) for name, value in given.items() if (fits := _ITEM.fullmatch(name)) and str(value).strip()]
