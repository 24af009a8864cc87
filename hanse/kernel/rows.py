"""Rows: what state is made of. Each room declares its own, as immutable structs."""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
SqlValue = int | str | bytes | None
Key = tuple[SqlValue, ...]


class Row(Struct, frozen=True, kw_only=True, gc=False):
    """Base of all rows. `position`: the entry that wrote it last; the draft fills it in.

    A row's key fields come first, in the key's order. A row holds no reference to itself, so that the collector of
    cycles need not look at it.
    """

    position: int = 0


R = TypeVar("R", bound=Row)
