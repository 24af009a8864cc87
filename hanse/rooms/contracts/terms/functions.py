"""The named functions: their static rules here, what they do at run time in `runtime`."""

from collections.abc import Callable
from dataclasses import replace

from hanse.rooms.contracts.terms import kinds
from hanse.rooms.contracts.terms.check import (
    Node,
    adapt,
    corners,
    divide_bounds,
    expect,
    magnitude,
    nonzero,
    refuse_arguments,
    span,
)
from hanse.rooms.contracts.terms.kinds import INT, Kind
from hanse.rooms.contracts.terms.refused import TermsRefused


def _muldiv(name: str, args: tuple[Node, ...]) -> Node:
    """muldiv(a, b, c, mode): a * b / c, exact until one rounding. 1,000,000 stands for 100%."""
    if len(args) != 4:
        refuse_arguments(name, args, "muldiv(a, b, c, mode)")
    a, b, c = args[:3]
    for arg in (a, b, c):
        if arg.kind.base != "number":
            raise TermsRefused("terms.kind", "muldiv takes numbers", str(arg.kind), "a number")
    nonzero(c)
    mode = expect(args[3], kinds.ROUNDING, "the rounding")
    whole = corners(a, b, lambda x, y: x * y)
    product = span("*", INT, (a, b), *_unbounded(whole))
    low, high = divide_bounds(replace(product, low=whole[0], high=whole[1]), c)
    kind = kinds.number(kinds.settle(muldiv_dim(a, b, c)))
    return span("muldiv", kind, (a, b, c, mode), low, high)


def _unbounded(bounds: tuple[int, int]) -> tuple[int, int]:
    """Inside muldiv the product may pass 2^63: clip what only the static check sees."""
    low, high = bounds
    return min(low, kinds.INT64_MAX), max(high, kinds.INT64_MIN)


def muldiv_dim(a: Node, b: Node, c: Node) -> kinds.Dim:
    """Dimension of a * b / c: each 1,000,000 in a literal counts as a rate (100%) where that makes sense.

    value * rate / 1000000 is an amount; good * 1000000 / ordered is a rate.
    """
    dim = kinds.per(kinds.times(a.kind.dim, b.kind.dim), c.kind.dim)
    balance = a.ppm + b.ppm - c.ppm
    rate = dim[2] + balance
    if (dim[2] <= 0 and balance < 0) or rate < 0:
        rate = max(dim[2], 0)
    return (dim[0], dim[1], rate, dim[3])


def _ceil_div(name: str, args: tuple[Node, ...]) -> Node:
    if len(args) != 2:
        refuse_arguments(name, args, "ceil_div(a, b)")
    a, b = args
    if a.kind.base != "number" or b.kind.base != "number":
        raise TermsRefused("terms.kind", "ceil_div takes numbers", f"{a.kind} and {b.kind}", "numbers")
    nonzero(b)
    kind = kinds.number(kinds.settle(kinds.per(a.kind.dim, b.kind.dim)))
    if kind.dim[0] or kind.dim[2]:
        raise TermsRefused("terms.rounding_place", f"ceil_div would round {kind}", str(kind), 'muldiv(a, 1, b, "ceil")')
    low, high = divide_bounds(a, b)
    return span("ceil_div", kind, args, low, high, weak=a.weak and b.weak)


def _extreme(name: str, args: tuple[Node, ...]) -> Node:
    if len(args) == 1 and args[0].kind.base == "list":
        item = args[0].kind.items[0]
        _ordered(name, item)
        return replace(
            span(f"{name}_of", item, args, item.low, item.high), cost=2 + args[0].cost + args[0].kind.count_max
        )
    if len(args) < 2:
        refuse_arguments(name, args, f"{name}(a, b, ...)")
    firm = next((arg for arg in args if not arg.weak), args[0])
    _ordered(name, firm.kind)
    args = tuple(expect(arg, firm.kind, f"an argument of {name}") for arg in args)
    pick = min if name == "min" else max
    low, high = pick(arg.low for arg in args), pick(arg.high for arg in args)
    return span(name, firm.kind, args, low, high, weak=all(arg.weak for arg in args))


def _ordered(name: str, kind: Kind) -> None:
    if kind.base not in ("number", "time"):
        raise TermsRefused("terms.kind", f"{name} does not take {kind}", str(kind), "numbers or times")


def _tier(name: str, args: tuple[Node, ...]) -> Node:
    if len(args) != 2 or args[0].kind.base != "tiers":
        refuse_arguments(name, args, f"{name}(tiers, value)")
    table, at = args
    at_kind, gives = table.kind.items
    at = expect(at, at_kind, f"the value looked up by {name}")
    least, most = min(0, gives.low), max(0, gives.high)
    if name == "tier_at":
        node = span(name, replace(gives, low=least, high=most), (table, at), least, most)
    else:
        if at_kind.base != "number" or (at_kind.dim[0] and gives.dim[0]):
            raise TermsRefused(
                "terms.kind", f"{name} does not take {table.kind}", str(table.kind), "rates by money, ..."
            )
        kind = kinds.number(kinds.settle(kinds.times(at_kind.dim, gives.dim)))
        reach = max(0, at.high)
        node = span(name, kind, (table, at), least * reach, most * reach)
    return replace(node, cost=node.cost + 2 * table.kind.count_max)


def _days(name: str, args: tuple[Node, ...]) -> Node:
    if len(args) != 1 or adapt(args[0], INT) is None:
        refuse_arguments(name, args, f"{name}(whole number)")
    seconds = 86_400 if name == "days" else 3_600
    arg = args[0]
    return span(name, kinds.DURATION, args, arg.low * seconds, arg.high * seconds)


def _size(name: str, args: tuple[Node, ...]) -> Node:
    if len(args) != 1 or args[0].kind.base != "list":
        refuse_arguments(name, args, "size(list)")
    return span(name, INT, args, 0, args[0].kind.count_max)


def _sum(name: str, args: tuple[Node, ...]) -> Node:
    if len(args) != 1 or args[0].kind.base != "list" or args[0].kind.items[0].base != "number":
        refuse_arguments(name, args, "sum(list of numbers)")
    item, count = args[0].kind.items[0], args[0].kind.count_max
    node = span(name, item, args, min(0, count * item.low), max(0, count * item.high))
    return replace(node, cost=node.cost + count)


CALLS: dict[str, Callable[[str, tuple[Node, ...]], Node]] = {
    "muldiv": _muldiv, "ceil_div": _ceil_div, "min": _extreme, "max": _extreme, "tier_at": _tier, "tier_slices": _tier,
    "days": _days, "hours": _days, "size": _size, "sum": _sum,
}  # fmt: skip

__all__ = ["CALLS", "magnitude", "muldiv_dim"]
