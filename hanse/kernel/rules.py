"""Rules, and the book that collects what the rooms offer.

A room marks its functions; the book finds the marked ones in the rooms' modules, in the order of ROOMS, so that nothing
is in force by being imported. Marks stand beside the functions, not on them: a compiled function takes none.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, TypeVar

from hanse.kernel.facts import Fact
from hanse.kernel.kept import KERNEL_TABLES
from hanse.kernel.tables import Table

F = TypeVar("F", bound=Callable[..., Any])
_MARKS: dict[Any, list[tuple[str, Any]]] = {}
"""function -> (role, of what) of each mark."""
_READS: dict[Any, frozenset[str]] = {}
"""home finder -> the tables that it reads."""


def _mark(role: str, of: Any) -> Callable[[F], F]:
    def mark(function: F) -> F:
        _MARKS.setdefault(function, []).append((role, of))
        return function

    return mark


def rule(fact: type[Fact]) -> Callable[[F], F]:
    """Mark a public rule `(draft, fact) -> None` of one fact type."""
    return _mark("rule", fact)


def circle_rule(fact: type[Fact]) -> Callable[[F], F]:
    """Mark a circle rule `(draft, fact) -> None`: sees the disclosed fact, writes tables of `fact.circle`."""
    return _mark("circle", fact)


def home_rule(fact: type[Fact]) -> Callable[[F], F]:
    """Mark a home rule `(draft, fact, party) -> None`, run for every party of the circle whose home is readable here.

    `draft.circle` is the party's home, the only circle that it may write; it reads the fact's circle as well.
    It records; it has nothing to refuse.
    """
    return _mark("home", fact)


def timer(name: str) -> Callable[[F], F]:
    """Mark a public timer rule `(draft, timer) -> None`."""
    return _mark("timer", name)


def circle_timer(name: str) -> Callable[[F], F]:
    """Mark a circle timer rule `(draft, timer) -> None`, run after the public one where the timer names a circle."""
    return _mark("circle_timer", name)


def home_timer(name: str) -> Callable[[F], F]:
    """Mark a home timer rule `(draft, timer, party)`, run as a home rule is, after the circle timer rule."""
    return _mark("home_timer", name)


def authenticator(function: F) -> F:
    """Mark `(draft, envelope, fact) -> signer`: refuses where the key may not speak for `iss`, now."""
    return _mark("authenticator", None)(function)


def key_finder(function: F) -> F:
    """Mark `(draft, kid) -> public key bytes or None`."""
    return _mark("key_finder", None)(function)


def home_finder(*tables: Table[Any]) -> Callable[[F], F]:
    """Mark `(state, circle) -> [(party, home circle)]`: the circle's parties whose homes are readable here.

    `tables`: those that the answer is read from; it is asked again only after one of them has changed.
    """

    def mark(function: F) -> F:
        _READS[function] = frozenset([table.name for table in tables])
        return _mark("home_finder", None)(function)

    return mark


class Rulebook:
    """What the rooms offer, collected once.

    Attributes:
        version: of the rules, in every block's header.
        kinds: kind -> fact type. tables: all, the kernel's first. on, on_circle: event type -> handlers in ROOMS order.
    """

    version = 1

    def __init__(self, modules: Sequence[ModuleType]) -> None:
        self.kinds: dict[str, type[Fact]] = {}
        self.tables: list[Table[Any]] = list(KERNEL_TABLES)
        self.on: dict[type, list[Callable[..., None]]] = {}
        self.on_circle: dict[type, list[Callable[..., None]]] = {}
        self._roles: dict[tuple[str, Any], Callable[..., Any]] = {}
        for module in modules:
            self._collect(module)
        self.authenticate: Callable[..., str] = self._roles.get(("authenticator", None), _as_issuer)
        self.find_key: Callable[..., bytes | None] = self._roles.get(("key_finder", None), _no_key)
        self.find_homes: Callable[..., list[tuple[str, str]]] = self._roles.get(("home_finder", None), _no_homes)

    def _collect(self, module: ModuleType) -> None:
        for value in list(vars(module).values()):
            if isinstance(value, Table) and value not in self.tables:
                if any(table.name == value.name for table in self.tables):
                    raise ValueError(f"two tables are called {value.name}")
                self.tables.append(value)
            elif inspect.isclass(value) and issubclass(value, Fact) and value.kind:
                if self.kinds.setdefault(value.kind, value) is not value:
                    raise ValueError(f"two facts are called {value.kind}")
            elif inspect.isroutine(value) and value.__module__ == module.__name__:
                for role in _MARKS.get(value, ()):
                    if self._roles.setdefault(role, value) is not value:
                        raise ValueError(f"two functions are {role}")
        for name, into in (("ON", self.on), ("ON_CIRCLE", self.on_circle)):
            for event, handler in vars(module).get(name, {}).items():
                into.setdefault(event, []).append(handler)

    @property
    def homes_read_from(self) -> frozenset[str]:
        """The tables from which `find_homes` answers."""
        return _READS[self.find_homes]

    def role(self, role: str, of: Any) -> Callable[..., Any] | None:
        return self._roles.get((role, of))


def _as_issuer(draft: Any, envelope: Any, fact: Any) -> str:
    """Without a room of parties, the issuer is who it says (kernel tests)."""
    return str(envelope.iss)


def _no_key(draft: Any, kid: str) -> bytes | None:
    return None


@home_finder()
def _no_homes(state: Any, circle: str) -> list[tuple[str, str]]:
    return []
