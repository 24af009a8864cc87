"""From typed nodes to Python source. No text of a template enters the source: names are slots, texts are constants.

Every sign stands for itself, every value that might leave int64 passes a check, every division refuses 0.
"""

from typing import Any

from hanse.rooms.contracts.terms import runtime
from hanse.rooms.contracts.terms.check import Node
from hanse.rooms.contracts.terms.kinds import INT64_MAX, INT64_MIN

FILE = "<terms>"

_DIRECT = {"tier_at": "tier_at", "tier_slices": "tier_slices", "min_of": "least", "max_of": "most", "sum": "total"}
_FORMS = {
    "?:": "({1} if {0} else {2})",
    "neg": "(-{0})",
    "not": "(not {0})",
    "index": "pick({0}, {1})",
    "size": "len({0})",
}
NAMES: dict[str, Any] = {
    "fit": runtime.fit, "over": runtime.overflow, "divide": runtime.divide, "remainder": runtime.remainder,
    "ceil_div": runtime.ceil_div, "muldiv": runtime.muldiv, "tier_at": runtime.tier_at,
    "tier_slices": runtime.tier_slices, "pick": runtime.pick, "least": runtime.least, "most": runtime.most,
    "total": runtime.total, "one": runtime.one, "wrong": runtime.wrong, "accept": runtime.accept,
    **{f"round_{mode}": rule for mode, rule in runtime.ROUND.items()},
    "len": len, "min": min, "max": max, "any": any, "all": all, "type": type, "int": int, "tuple": tuple, "str": str,
    "sorted": sorted, "__builtins__": {},
}  # fmt: skip


class Emitter:
    """Writes expressions; collects the constants that they read."""

    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}
        self.temps = 0

    def constant(self, value: Any) -> str:
        """A generated name for a value that must not stand in the source."""
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def code(self, node: Node, in_macro: bool = False) -> str:
        """Python source of a node; a value that may leave int64 is checked."""
        plain = self._plain(node, in_macro)
        if not node.guard or plain.startswith("muldiv(") or node.op in ("tier_slices", "sum"):
            return plain  # these check by themselves
        if in_macro:
            return f"fit({plain})"
        self.temps += 1
        name = f"t{self.temps}"
        return f"({name} if {INT64_MIN} <= ({name} := {plain}) <= {INT64_MAX} else over({name}))"

    def _plain(self, node: Node, in_macro: bool) -> str:
        op = node.op
        if op == "slot":
            return node.slot
        if op == "int":
            return str(node.value) if int(node.value) >= 0 else f"({node.value})"
        if op == "flag":
            return "True" if node.value else "False"
        if op == "text":
            return self.constant(node.value)
        if op == "macro":
            return self._macro(node)
        if op == "muldiv":
            return self._muldiv(node, in_macro)
        args = [self.code(arg, in_macro) for arg in node.args]
        return self._joined(node, args)

    def _joined(self, node: Node, args: list[str]) -> str:
        op = node.op
        if op in ("+", "-", "*", "==", "!=", "<", "<=", ">", ">=", "in"):
            return f"({args[0]} {op} {args[1]})"
        if op in ("&&", "||"):
            return f"({args[0]} {'and' if op == '&&' else 'or'} {args[1]})"
        if op == "/":
            simple = node.args[0].low >= 0 and node.args[1].low > 0
            return f"({args[0]} // {args[1]})" if simple else f"divide({args[0]}, {args[1]})"
        if op == "%":
            simple = node.args[0].low >= 0 and node.args[1].low > 0
            return f"({args[0]} % {args[1]})" if simple else f"remainder({args[0]}, {args[1]})"
        if op == "ceil_div":
            return f"(-(-{args[0]} // {args[1]}))" if node.args[1].low > 0 else f"ceil_div({args[0]}, {args[1]})"
        if op in _FORMS:
            return _FORMS[op].format(*args)
        if op in ("days", "hours"):
            seconds = 86_400 if op == "days" else 3_600
            return str(node.low) if node.args[0].op == "int" else f"({args[0]} * {seconds})"
        if op in ("min", "max"):
            return self._extreme(op, args)
        if op == "list":
            return f"({', '.join(args)}{',' if args else ''})"
        if op == "field":
            return f"{args[0]}[{int(node.value)}]"
        return f"{_DIRECT[op]}({', '.join(args)})"

    def _extreme(self, op: str, args: list[str]) -> str:
        simple = len(args) == 2 and all(arg.isalnum() for arg in args)
        if not simple:
            return f"{op}({', '.join(args)})"
        return f"({args[0]} if {args[0]} {'<' if op == 'min' else '>'} {args[1]} else {args[1]})"

    def _muldiv(self, node: Node, in_macro: bool) -> str:
        a, b, c, mode = node.args
        parts = [self.code(arg, in_macro) for arg in (a, b, c)]
        if mode.op != "text":
            return f"muldiv({', '.join(parts)}, {self.code(mode, in_macro)})"
        if c.low <= 0:
            return f"muldiv({', '.join(parts)}, {self.constant(mode.value)})"
        return f"round_{mode.value}({parts[0]} * {parts[1]}, {parts[2]})"

    def _macro(self, node: Node) -> str:
        macro, target = str(node.value), self.code(node.args[0], True)
        bodies = [self.code(body, True) for body in node.args[1:]]
        each = f"for x in {target}"
        if macro in ("all", "exists", "exists_one"):
            rule = {"all": "all", "exists": "any", "exists_one": "one"}[macro]
            return f"{rule}([{bodies[0]} {each}])"
        if macro == "filter":
            return f"tuple([x {each} if {bodies[0]}])"
        test = f" if {bodies[0]}" if len(bodies) == 2 else ""
        rule = "total" if macro == "sum" else "tuple"
        return f"{rule}([{bodies[-1]} {each}{test}])"


def build(source: str, constants: dict[str, Any]) -> dict[str, Any]:
    """Compile generated source; returns its functions by name. Nothing but NAMES and constants is in reach."""
    space: dict[str, Any] = {**NAMES, **constants}
    exec(compile(source, FILE, "exec", dont_inherit=True), space)
    return space
