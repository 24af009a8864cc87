"""What a room computes again from the record: a room's `checks.py` offers it to `hanse verify`.

    ALWAYS = (books,)         each run by every verification: cheap, over the state
    RECOMPUTED = (results,)   each run by `hanse verify --recompute`
    FILES_NAMED = (names,)    files that its facts name, each as hex SHA-256 of its bytes: is it in the directory?

A check takes a view of every circle that can be read where it runs, and gives one `Checked` for each figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from hanse.kernel.view import View


class Checked(Struct, frozen=True, kw_only=True):
    """One figure, computed again.

    Attributes:
        what: the kind of figure, in words. circle: whose it is, "" for the public. group: what figures are summed
            under, such as an agreement. name: which one. amount_minor, currency: 0 and "" where it is no money.
        entries: the entries that it rests on. why: what is wrong with it, "" where it came out the same.
    """

    what: str
    circle: str
    group: str
    name: str
    amount_minor: int = 0
    currency: str = ""
    entries: tuple[int, ...] = ()
    why: str = ""


Check = Callable[[View], Iterable[Checked]]
NamesFiles = Callable[[View], Iterable[str]]
