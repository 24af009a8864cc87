"""CEL's syntax, the part that terms use: text in, tree out.

Grammar: the Common Expression Language specification, section "Syntax" (langdef.md), without doubles, unsigned
integers, bytes, escapes, maps, message construction and optional syntax. Precedence and association are CEL's.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from hanse.rooms.contracts.terms.refused import TermsRefused

CHARS_MAX = 2_000
DEPTH_MAX = 64
ARGS_MAX = 32

MACROS = ("all", "exists", "exists_one", "filter", "map", "sum")
RESERVED = frozenset(
    """as break const continue else false for function if import in let loop namespace null package return true var void
    while""".split()  # noqa: SIM905
)
_TOKEN = re.compile(
    r"\s*(?:(?P<int>[0-9]+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<text>'[^'\\\n]*'|\"[^\"\\\n]*\")"
    r"|(?P<sign>\|\||&&|[=!<>]=|[-+*/%<>!?:.,()\[\]]))"
)


@dataclass(frozen=True, slots=True)
class Tree:
    """One node. `op` is int, text, flag, name, list, field, index, call, macro, neg, not, ?: or a binary sign."""

    op: str
    value: int | str | bool
    args: tuple["Tree", ...]
    depth: int
    at: int  # character offset, for messages


@dataclass(frozen=True, slots=True)
class Token:
    """One lexical token; `kind` is int, name, text, sign or end."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """Split an expression into tokens. Refuses terms.expression_size, terms.expression_syntax.

    >>> [t.text for t in tokens("a>=2&&!b")]
    ['a', '>=', '2', '&&', '!', 'b', '']
    """
    if len(text) > CHARS_MAX:
        raise TermsRefused("terms.expression_size", "expression too long", str(len(text)), f"{CHARS_MAX} characters")
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _syntax(text[at : at + 20].strip() or text[at], at)
        word = match.group(match.lastgroup)
        if match.lastgroup == "int" and text[match.end() : match.end() + 1].isidentifier():
            raise _syntax(text[match.start() : match.end() + 1], at)
        found.append(Token(match.lastgroup, word, match.start(match.lastgroup)))
        at = match.end()
    found.append(Token("end", "", end))
    return found


def parse(text: str) -> Tree:
    """Parse one expression.

    Refuses, in order of meeting: terms.expression_size, terms.expression_syntax, terms.expression_depth,
    terms.number_size.

    >>> parse("a + 2 * b").args[1].op
    '*'
    """
    reader = _Reader(tokens(text))
    tree = reader.expression(0)
    if reader.now.kind != "end":
        raise _syntax(reader.now.text, reader.now.at)
    return tree


def names(tree: Tree) -> set[str]:
    """Names that an expression reads, macro variables excepted."""
    if tree.op == "name":
        return {str(tree.value)}
    if tree.op == "macro":
        target, body = tree.args[0], tree.args[1:]
        variable = str(tree.value).split(" ")[1]
        inside = set[str]().union(*(names(part) for part in body)) - {variable}
        return names(target) | inside
    return set[str]().union(*(names(part) for part in tree.args))


@lru_cache(maxsize=4_096)
def names_in(text: str) -> frozenset[str]:
    """Names that an expression's text reads. Refuses as `parse`."""
    return frozenset(names(parse(text)))


def _syntax(got: str, at: int, expected: str = "an expression in CEL's syntax") -> TermsRefused:
    got = got or "the end"
    return TermsRefused("terms.expression_syntax", f"unexpected {got!r} at character {at}", got, expected)


_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("==", "!=", "<", "<=", ">", ">=", "in"),
    ("+", "-"),
    ("*", "/", "%"),
)


class _Reader:
    def __init__(self, stream: list[Token]) -> None:
        self.stream = stream
        self.place = 0

    @property
    def now(self) -> Token:
        return self.stream[self.place]

    def take(self, text: str) -> bool:
        if self.now.text == text and self.now.kind in ("sign", "name"):
            self.place += 1
            return True
        return False

    def need(self, text: str) -> None:
        if not self.take(text):
            raise _syntax(self.now.text, self.now.at, repr(text))

    def node(self, op: str, value: int | str | bool, args: tuple[Tree, ...], at: int) -> Tree:
        depth = 1 + max((arg.depth for arg in args), default=0)
        if depth > DEPTH_MAX:
            raise TermsRefused("terms.expression_depth", "expression nested too deeply", expected=f"depth {DEPTH_MAX}")
        return Tree(op, value, args, depth, at)

    def expression(self, nest: int) -> Tree:
        if nest > DEPTH_MAX:
            raise TermsRefused("terms.expression_depth", "expression nested too deeply", expected=f"depth {DEPTH_MAX}")
        at = self.now.at
        left = self.level(0, nest)
        if not self.take("?"):
            return left
        yes = self.level(0, nest)
        self.need(":")
        return self.node("?:", 0, (left, yes, self.expression(nest + 1)), at)

    def level(self, which: int, nest: int) -> Tree:
        if which == len(_LEVELS):
            return self.unary(nest)
        left = self.level(which + 1, nest)
        while self.now.text in _LEVELS[which] and self.now.kind in ("sign", "name"):
            token = self.now
            self.place += 1
            left = self.node(token.text, 0, (left, self.level(which + 1, nest)), token.at)
        return left

    def unary(self, nest: int) -> Tree:
        at, signs = self.now.at, 0
        sign = self.now.text if self.now.kind == "sign" and self.now.text in ("!", "-") else ""
        while sign and self.take(sign):
            signs += 1
        if sign == "-" and self.now.kind == "int":
            signs -= 1
            inner = self.member(nest, negative=True)
        else:
            inner = self.member(nest)
        for _ in range(signs):
            inner = self.node("neg" if sign == "-" else "not", 0, (inner,), at)
        return inner

    def member(self, nest: int, negative: bool = False) -> Tree:
        tree = self.primary(nest, negative)
        while True:
            at = self.now.at
            if self.take("["):
                tree = self.node("index", 0, (tree, self.expression(nest + 1)), at)
                self.need("]")
            elif self.take("."):
                name = self.name()
                tree = self.method(tree, name, nest, at) if self.take("(") else self.node("field", name, (tree,), at)
            else:
                return tree

    def method(self, target: Tree, name: str, nest: int, at: int) -> Tree:
        args = self.arguments(")", nest)
        if name in MACROS and args:
            if args[0].op != "name":
                raise _syntax(name, at, f"a variable first, as in .{name}(x, ...)")
            return self.node("macro", f"{name} {args[0].value}", (target, *args[1:]), at)
        return self.node("call", name, (target, *args), at)

    def arguments(self, close: str, nest: int) -> tuple[Tree, ...]:
        args: list[Tree] = []
        while not self.take(close):
            if args:
                self.need(",")
            args.append(self.expression(nest + 1))
            if len(args) > ARGS_MAX:
                raise TermsRefused("terms.expression_size", "too many arguments", expected=f"{ARGS_MAX} at most")
        return tuple(args)

    def name(self) -> str:
        token = self.now
        if token.kind != "name" or token.text in RESERVED:
            raise _syntax(token.text, token.at, "a name")
        self.place += 1
        return token.text

    def primary(self, nest: int, negative: bool) -> Tree:
        token = self.now
        if token.kind == "int":
            self.place += 1
            return self.node("int", _integer(token, negative), (), token.at)
        if token.kind == "text":
            self.place += 1
            return self.node("text", token.text[1:-1], (), token.at)
        if token.text in ("true", "false"):
            self.place += 1
            return self.node("flag", token.text == "true", (), token.at)
        if self.take("("):
            inner = self.expression(nest + 1)
            self.need(")")
            return inner
        if self.take("["):
            return self.node("list", 0, self.arguments("]", nest), token.at)
        name = self.name()
        if self.take("("):
            return self.node("call", name, self.arguments(")", nest), token.at)
        return self.node("name", name, (), token.at)


def _integer(token: Token, negative: bool) -> int:
    if len(token.text) > 19:
        raise TermsRefused("terms.number_size", "number too large", token.text, "within +-2^63")
    value = -int(token.text) if negative else int(token.text)
    if not -(2**63) <= value < 2**63:
        raise TermsRefused("terms.number_size", "number too large", token.text, "within +-2^63")
    return value
