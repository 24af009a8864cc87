"""One expression by itself: for tests against other implementations of CEL, and for tools."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hanse.rooms.contracts.terms.check import check, slot
from hanse.rooms.contracts.terms.emit import Emitter, build
from hanse.rooms.contracts.terms.kinds import Kind
from hanse.rooms.contracts.terms.runtime import accept


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: static kind, static cost, generated source."""

    kind: Kind
    cost: int
    source: str
    names: tuple[tuple[str, Kind], ...]
    function: Callable[..., Any]

    def __call__(self, **values: Any) -> Any:
        """Evaluate with values in base units. Refuses as `Terms.evaluate`."""
        return self.function(*(accept(name, kind, values.get(name)) for name, kind in self.names))


def expression(text: str, names: Mapping[str, Kind]) -> Expression:
    """Check and compile one expression over named kinds. Refuses as `check`.

    >>> from hanse.rooms.contracts.terms.kinds import unit_kind
    >>> expression("qty * price", {"qty": unit_kind("qty"), "price": unit_kind("money")})(qty=3, price=150)
    450
    """
    pairs = tuple(sorted(names.items()))
    scope = {name: slot(f"v{place}", kind) for place, (name, kind) in enumerate(pairs)}
    node = check(text, scope)
    emitter = Emitter()
    code = emitter.code(node)
    head = ", ".join(f"v{place}" for place in range(len(pairs)))
    space = build(f"def expression({head}):\n    return {code}\n", emitter.constants)
    return Expression(node.kind, node.cost, code, pairs, space["expression"])
