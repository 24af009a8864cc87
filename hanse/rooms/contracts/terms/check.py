"""From a tree to a typed, costed tree: what each part counts, between which bounds, at what cost.

Static refusals come from here; what remains for run time is overflow and division by zero where bounds do not exclude
them. Bounds are intervals (Moore, Interval Analysis, 1966, ch. 2), over integers, outward exact.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from hanse.rooms.contracts.terms import kinds
from hanse.rooms.contracts.terms.kinds import INT, INT64_MAX, INT64_MIN, Kind
from hanse.rooms.contracts.terms.refused import TermsRefused
from hanse.rooms.contracts.terms.syntax import Tree, parse

COST_MAX = 20_000  # evaluated nodes of one expression


@dataclass(frozen=True, slots=True)
class Node:
    """A typed node.

    Fields:
        kind: static kind. low, high: bounds of a number, time or flag. cost: nodes evaluated at most.
        weak: built of integer literals only, so it takes its neighbour's dimension.
        ppm: how many factors of 1,000,000 its literals hold (they stand for 100%).
        slot: for op "slot", the generated name that holds the value.
        guard: bounds do not exclude a value beyond int64, so it is checked at run time.
    """

    op: str
    kind: Kind
    args: tuple["Node", ...] = ()
    low: int = INT64_MIN
    high: int = INT64_MAX
    cost: int = 1
    weak: bool = False
    ppm: int = 0
    value: int | str | bool = 0
    slot: str = ""
    guard: bool = False

    @property
    def text(self) -> bool:
        """A literal text, which may stand for an enum's value."""
        return self.op == "text"


Scope = Mapping[str, Node]  # name -> slot node


def slot(name: str, kind: Kind) -> Node:
    """A node that reads a generated name; its bounds are the kind's."""
    return Node("slot", kind, low=kind.low, high=kind.high, slot=name)


def check(text: str, scope: Scope) -> Node:
    """Parse and type one expression.

    Refuses, in order of meeting: what `syntax.parse` refuses, terms.unknown_name, terms.unknown_function,
    terms.arguments, terms.kind, terms.enum_value, terms.rounding_place, terms.nested_macro, terms.overflow (certain),
    terms.division_by_zero (certain), terms.cost.
    """
    node = _Checker(scope).node(parse(text))
    if node.cost > COST_MAX:
        raise TermsRefused("terms.cost", "the expression costs too much", str(node.cost), f"{COST_MAX} steps at most")
    return node


def expect(node: Node, kind: Kind, what: str) -> Node:
    """The node as that kind, where a literal may take it. Refuses terms.kind."""
    fitted = adapt(node, kind)
    if fitted is None:
        raise TermsRefused(
            "terms.kind", f"{what} is not of the kind that belongs here", str(node.kind), str(kind), hint(node)
        )
    return fitted


def hint(node: Node) -> str:
    """What to do about a product with a rate that was never divided."""
    if node.kind.base == "number" and node.kind.dim[2] and node.kind.dim[0]:
        return "divide by 1000000 with muldiv(amount, rate, 1000000, rounding)"
    return "correct the expression"


def rated(node: Node) -> int:
    """How much a node looks like an amount times a rate that was never divided."""
    return node.kind.dim[2] * abs(node.kind.dim[0])


def adapt(node: Node, kind: Kind) -> Node | None:
    """The node as `kind`, or None: integer literals take any dimension, literal texts any enum that holds them."""
    if node.kind == kind:
        return node
    if node.weak and kind.base == "number":
        return replace(node, kind=kind)
    if node.text and kind.base == "enum":
        if node.value not in kind.values:
            raise TermsRefused("terms.enum_value", "no such value", str(node.value), ", ".join(kind.values))
        return replace(node, kind=kind)
    if node.kind.base == "list" and kind.base == "list" and not node.args and node.op == "list":
        return replace(node, kind=kind)
    return None


def span(op: str, kind: Kind, args: tuple[Node, ...], low: int, high: int, **more: object) -> Node:
    """A node over `args` whose value lies in low..high. Refuses terms.overflow where it certainly leaves int64."""
    if kind.base in ("number", "time") and (low > INT64_MAX or high < INT64_MIN):
        raise TermsRefused(
            "terms.overflow", "the value cannot fit", f"{low}..{high}", "within +-2^63", "use smaller numbers"
        )
    cost = 1 + sum(arg.cost for arg in args)
    guard = kind.base in ("number", "time") and (low < INT64_MIN or high > INT64_MAX)
    low, high = max(low, INT64_MIN), min(high, INT64_MAX)
    return Node(op, kind, args, low, high, cost, guard=guard, **more)  # type: ignore[arg-type]


class _Checker:
    def __init__(self, scope: Scope, inside_macro: bool = False) -> None:
        self.scope = scope
        self.inside_macro = inside_macro

    def node(self, tree: Tree) -> Node:
        method = _OPS.get(tree.op)
        if method is not None:
            return method(self, tree)
        left, right = self.node(tree.args[0]), self.node(tree.args[1])
        return _BINARY[tree.op](tree.op, left, right)

    def literal(self, tree: Tree) -> Node:
        value = tree.value
        if tree.op == "int":
            number = int(value)
            return Node("int", INT, (), number, number, weak=True, ppm=factors(number), value=number)
        if tree.op == "flag":
            return Node("flag", kinds.FLAG, (), int(value), int(value), value=bool(value))
        return Node("text", kinds.TEXT, value=value)

    def name(self, tree: Tree) -> Node:
        found = self.scope.get(str(tree.value))
        if found is None:
            known = ", ".join(sorted(self.scope))
            raise TermsRefused(
                "terms.unknown_name", f"unknown name {tree.value}", str(tree.value), known, "declare it above"
            )
        return found

    def list(self, tree: Tree) -> Node:
        args = tuple(self.node(arg) for arg in tree.args)
        if not args:
            return Node("list", Kind("list", items=(INT,), count_max=0))
        kind = _common(args, "a list's elements")
        args = tuple(expect(arg, kind, "a list's element") for arg in args)
        kind = replace(kind, low=min(arg.low for arg in args), high=max(arg.high for arg in args))
        return span("list", Kind("list", items=(kind,), count_max=len(args)), args, 0, 0)

    def field(self, tree: Tree) -> Node:
        target = self.node(tree.args[0])
        for place, (name, kind) in enumerate(target.kind.fields):
            if name == tree.value:
                return span("field", kind, (target,), kind.low, kind.high, value=place)
        known = ", ".join(name for name, _ in target.kind.fields) or "no fields"
        raise TermsRefused("terms.unknown_name", f"unknown field {tree.value}", str(tree.value), known)

    def index(self, tree: Tree) -> Node:
        target, place = self.node(tree.args[0]), self.node(tree.args[1])
        item = _list_item(target, "[...]")
        expect(place, INT, "an index")
        return span("index", item, (target, place), item.low, item.high)

    def negate(self, tree: Tree) -> Node:
        arg = self.node(tree.args[0])
        if arg.kind.base != "number":
            raise _kind("-", arg)
        return span("neg", arg.kind, (arg,), -arg.high, -arg.low, weak=arg.weak, ppm=arg.ppm)

    def invert(self, tree: Tree) -> Node:
        arg = expect(self.node(tree.args[0]), kinds.FLAG, "what ! turns round")
        return span("not", kinds.FLAG, (arg,), 0, 1)

    def choose(self, tree: Tree) -> Node:
        test = expect(self.node(tree.args[0]), kinds.FLAG, "the question before ?")
        yes, no = (self.node(arg) for arg in tree.args[1:])
        kind = _common((yes, no), "the two answers of ? :")
        yes, no = expect(yes, kind, "the answer"), expect(no, kind, "the answer")
        weak = yes.weak and no.weak
        node = span("?:", kind, (test, yes, no), min(yes.low, no.low), max(yes.high, no.high), weak=weak)
        return replace(node, cost=1 + test.cost + max(yes.cost, no.cost))

    def macro(self, tree: Tree) -> Node:
        macro, variable = str(tree.value).split(" ")
        if self.inside_macro:
            raise TermsRefused(
                "terms.nested_macro", f".{macro} inside another", macro, "one level of macros", "name a step"
            )
        target = self.node(tree.args[0])
        item = _list_item(target, f".{macro}")
        bodies = tree.args[1:]
        if len(bodies) != 1 and not (macro == "map" and len(bodies) == 2):
            raise TermsRefused("terms.arguments", f".{macro}", str(len(bodies) + 1), f".{macro}(x, expression)")
        inner = _Checker({**self.scope, variable: slot("x", item)}, inside_macro=True)
        parts = tuple(inner.node(body) for body in bodies)
        for part in parts[:-1] if macro in ("map", "sum") else parts:
            expect(part, kinds.FLAG, f"the condition of .{macro}")
        count = target.kind.count_max
        cost = 1 + target.cost + max(1, count) * sum(part.cost for part in parts)
        return replace(_macro_node(macro, target, parts, count), cost=cost)

    def call(self, tree: Tree) -> Node:
        from hanse.rooms.contracts.terms.functions import CALLS

        name = str(tree.value)
        if name in ("duration", "timestamp"):
            return _constant(name, tree)
        rule = CALLS.get(name)
        if rule is None:
            raise TermsRefused("terms.unknown_function", f"unknown function {name}", name, ", ".join(sorted(CALLS)))
        args = tuple(self.node(arg) for arg in tree.args)
        return rule(name, args)


def _macro_node(macro: str, target: Node, parts: tuple[Node, ...], count: int) -> Node:
    args, body = (target, *parts), parts[-1]
    if macro in ("all", "exists", "exists_one"):
        return span("macro", kinds.FLAG, args, 0, 1, value=macro)
    if macro == "filter":
        return span("macro", target.kind, args, 0, 0, value=macro)
    if macro == "map":
        kind = replace(body.kind, low=body.low, high=body.high)
        if kind.base in ("list", "tiers"):
            raise _kind(".map", body)
        return span("macro", Kind("list", items=(kind,), count_max=count), args, 0, 0, value=macro)
    if body.kind.base != "number":
        raise _kind(".sum", body)
    return span("macro", body.kind, args, min(0, count * body.low), max(0, count * body.high), value=macro)


def _constant(name: str, tree: Tree) -> Node:
    """CEL's duration("36h") and timestamp("2019-01-01T00:00:00Z"), of literal text only."""
    from hanse.rooms.contracts.terms.values import read_duration, read_time

    if len(tree.args) != 1 or tree.args[0].op != "text":
        raise TermsRefused("terms.arguments", f"{name} takes one literal text", name, f'{name}("...")')
    text = str(tree.args[0].value)
    kind = kinds.DURATION if name == "duration" else kinds.TIME
    value = read_duration(text) if name == "duration" else read_time(text)
    return Node("int", kind, (), value, value, value=value)


def factors(number: int) -> int:
    """How many times 1,000,000 divides a literal (0 for 0)."""
    count = 0
    while number and number % kinds.PPM == 0:
        number //= kinds.PPM
        count += 1
    return count


def _kind(sign: str, *nodes: Node) -> TermsRefused:
    got = " and ".join(str(node.kind) for node in nodes)
    return TermsRefused("terms.kind", f"{sign} does not take {got}", got, "kinds that fit", hint(nodes[0]))


def _common(nodes: tuple[Node, ...], what: str) -> Kind:
    """The kind that all nodes have or take. Refuses terms.kind."""
    firm = next((node for node in nodes if not node.weak and not node.text), nodes[0])
    for node in nodes:
        if adapt(node, firm.kind) is None:
            got = f"{firm.kind} and {node.kind}"
            raise TermsRefused("terms.kind", f"{what} differ in kind", got, "one kind", hint(max(nodes, key=rated)))
    return firm.kind


def _list_item(node: Node, what: str) -> Kind:
    if node.kind.base != "list":
        raise _kind(what, node)
    return node.kind.items[0]


def _logic(sign: str, left: Node, right: Node) -> Node:
    args = expect(left, kinds.FLAG, f"left of {sign}"), expect(right, kinds.FLAG, f"right of {sign}")
    return span(sign, kinds.FLAG, args, 0, 1)


def _compare(sign: str, left: Node, right: Node) -> Node:
    worded = {left.kind.base, right.kind.base} <= {"text", "enum"}
    if not (worded and left.kind.base != right.kind.base and not left.text and not right.text):
        kind = _common((left, right), f"the two sides of {sign}")
        left, right = expect(left, kind, "a side"), expect(right, kind, "a side")
    ordered = left.kind.base in ("number", "time")
    if left.kind.base in ("list", "tiers", "row") or (not ordered and sign not in ("==", "!=")):
        raise _kind(sign, left, right)
    return span(sign, kinds.FLAG, (left, right), 0, 1)


def _within(sign: str, left: Node, right: Node) -> Node:
    item = _list_item(right, "in")
    if left.kind.base == "enum" and right.op == "list":
        right = replace(right, args=tuple(expect(arg, left.kind, "a listed value") for arg in right.args))
        return span("in", kinds.FLAG, (left, right), 0, 1)
    if adapt(left, item) is None:
        raise _kind("in", left, right)
    node = span("in", kinds.FLAG, (expect(left, item, "left of in"), right), 0, 1)
    return replace(node, cost=node.cost + right.kind.count_max)


def _add(sign: str, left: Node, right: Node) -> Node:
    pair = (left.kind.base, right.kind.base)
    low, high = (left.low + right.low, left.high + right.high)
    if sign == "-":
        low, high = left.low - right.high, left.high - right.low
    if pair == ("time", "time") and sign == "-":
        return span(sign, kinds.DURATION, (left, right), low, high)
    if pair == ("time", "number") and adapt(right, kinds.DURATION):
        return span(sign, kinds.TIME, (left, right), low, high)
    if pair == ("number", "time") and sign == "+" and adapt(left, kinds.DURATION):
        return span(sign, kinds.TIME, (left, right), low, high)
    if pair != ("number", "number"):
        raise _kind(sign, left, right)
    kind = _common((left, right), f"the two sides of {sign}")
    return span(sign, kind, (left, right), low, high, weak=left.weak and right.weak)


def _numbers(sign: str, left: Node, right: Node) -> None:
    if left.kind.base != "number" or right.kind.base != "number":
        raise _kind(sign, left, right)


def corners(left: Node, right: Node, act: Callable[[int, int], int]) -> tuple[int, int]:
    """Least and greatest of `act` at the corners of two intervals."""
    values = [act(a, b) for a in (left.low, left.high) for b in (right.low, right.high)]
    return min(values), max(values)


def _multiply(sign: str, left: Node, right: Node) -> Node:
    _numbers(sign, left, right)
    if left.kind.dim[0] and right.kind.dim[0]:
        raise _kind(sign, left, right)
    low, high = corners(left, right, lambda a, b: a * b)
    kind = kinds.number(kinds.settle(kinds.times(left.kind.dim, right.kind.dim)))
    weak = left.weak and right.weak
    return span(sign, kind, (left, right), low, high, weak=weak, ppm=left.ppm + right.ppm)


def nonzero(node: Node) -> None:
    """Refuses terms.division_by_zero where the divisor is certainly zero."""
    if node.low == node.high == 0:
        raise TermsRefused("terms.division_by_zero", "division by zero", "0", "a divisor that can be other than 0")


def magnitude(node: Node) -> int:
    """Greatest absolute value."""
    return max(abs(node.low), abs(node.high))


def divide_bounds(left: Node, right: Node) -> tuple[int, int]:
    """Bounds of a quotient, whichever way it is rounded."""
    if right.low > 0:
        low = left.low // right.high if left.low >= 0 else -(-left.low // right.low) - 1
        high = -(-left.high // right.low) if left.high >= 0 else 0
        return low, high
    return -magnitude(left), magnitude(left)


def _divide(sign: str, left: Node, right: Node) -> Node:
    _numbers(sign, left, right)
    nonzero(right)
    weak = left.weak and right.weak
    if sign == "%":
        kind = _common((left, right), "the two sides of %")
        most = max(0, magnitude(right) - 1)
        low, high = (0 if left.low >= 0 else -most), (0 if left.high <= 0 else most)
        return span(sign, kind, (left, right), low, high, weak=weak)
    kind = kinds.number(kinds.settle(kinds.per(left.kind.dim, right.kind.dim)))
    if kind.dim[0] or kind.dim[2]:
        raise TermsRefused(
            "terms.rounding_place", f"/ would round {kind} without saying how", str(kind), "muldiv",
            "write muldiv(amount, 1, divisor, rounding)",
        )  # fmt: skip
    low, high = divide_bounds(left, right)
    return span(sign, kind, (left, right), low, high, weak=weak)


def refuse_arguments(name: str, args: tuple[Node, ...], form: str) -> NoReturn:
    """Refuse a call whose number of arguments is wrong."""
    raise TermsRefused("terms.arguments", f"{name} takes other arguments", f"{len(args)} arguments", form)


_OPS: dict[str, Callable[[_Checker, Tree], Node]] = {
    "int": _Checker.literal, "flag": _Checker.literal, "text": _Checker.literal, "name": _Checker.name,
    "list": _Checker.list, "field": _Checker.field, "index": _Checker.index, "neg": _Checker.negate,
    "not": _Checker.invert, "?:": _Checker.choose, "macro": _Checker.macro, "call": _Checker.call,
}  # fmt: skip
_BINARY: dict[str, Callable[[str, Node, Node], Node]] = {
    "||": _logic, "&&": _logic, "==": _compare, "!=": _compare, "<": _compare, "<=": _compare, ">": _compare,
    ">=": _compare, "in": _within, "+": _add, "-": _add, "*": _multiply, "/": _divide, "%": _divide,
}  # fmt: skip
