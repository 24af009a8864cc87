"""A clause as one generated Python function: reads parameters, facts and state, returns every step and the actions due.

The source holds slots only (p0, f1, s0, n3): nothing that a template's author wrote enters it. It is compiled once per
template; agreements under that template share it and differ in the tuple of parameters that they pass.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hanse.rooms.contracts.terms import kinds, syntax
from hanse.rooms.contracts.terms.check import Node, check, expect, hint, slot
from hanse.rooms.contracts.terms.document import IMPLICIT, implicit_fact
from hanse.rooms.contracts.terms.emit import Emitter, build
from hanse.rooms.contracts.terms.kinds import Kind
from hanse.rooms.contracts.terms.refused import TermsRefused
from hanse.rooms.contracts.terms.schema import ActionSpec, ClauseSpec, Document, Fact, StateSpec

CLAUSE_COST_MAX = 50_000
MONEY_ACTIONS = ("pay", "hold", "release", "refund", "split", "price")
Run = Callable[[tuple[Any, ...], Mapping[str, Any], Mapping[str, Any]], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Piece:
    """A generated function by name, with the parameters and facts that it reads, in slot order."""

    name: str
    params: tuple[str, ...]
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """A checked clause.

    Fields:
        spec: as written. facts, state: those read, in slot order. steps: (name, kind, expression) in order.
        values: kind of each action's value. cost: nodes evaluated at most.
        run: (params, facts, state) -> (facts, state, steps, actions). arm: of a timer, -> UTC seconds.
        applies: of only_if, -> whether the clause stands.
    """

    spec: ClauseSpec
    facts: tuple[Fact, ...]
    state: tuple[str, ...]
    steps: tuple[tuple[str, Kind, str], ...]
    values: tuple[Kind, ...]
    cost: int
    run: Piece
    arm: Piece | None
    applies: Piece | None

    @property
    def id(self) -> str:
        """The clause's name."""
        return self.spec.id


class Source:
    """Generated lines, and what each computes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.labels: dict[int, str] = {}
        self.emitter = Emitter()

    def add(self, line: str, label: str = "") -> None:
        """One more line."""
        self.lines.append(line)
        self.labels[len(self.lines)] = label


class Scope:
    """Names that a clause may read, numbered as they are first read."""

    def __init__(self, document: Document, clause: ClauseSpec | None, extra: Iterable[Fact] = ()) -> None:
        self.params = {param.name: param.kind for param in document.params}
        own = clause.facts if clause else ()
        self.facts = {fact.name: fact for fact in (*document.facts, *own, *extra)}
        self.state = {state.name: state.kind for state in document.state}
        self.used: dict[str, list[str]] = {"p": [], "f": [], "s": []}
        self.names: dict[str, Node] = {}

    def bring(self, names: Iterable[str], where: str) -> None:
        """Give a slot to each name that is read. Refuses terms.unknown_name."""
        for name in sorted(set(names) - set(self.names)):
            if name in self.params:
                self._slot("p", name, self.params[name])
            elif name in self.facts:
                self._slot("f", name, self.facts[name].kind)
            elif name in self.state:
                self._slot("s", name, self.state[name])
            else:
                known = ", ".join(sorted({*self.params, *self.facts, *self.state, *self.names}))
                message = f"{where}: unknown name {name}"
                raise TermsRefused("terms.unknown_name", message, name, known, "declare it before it is used")

    def _slot(self, letter: str, name: str, kind: Kind) -> None:
        self.names[name] = slot(f"{letter}{len(self.used[letter])}", kind)
        self.used[letter].append(name)


def read_expression(text: str, scope: Scope, where: str, kind: Kind | None = None) -> Node:
    """Parse and check one expression in a scope; its refusals name the place."""
    try:
        scope.bring(syntax.names_in(text), where)
        node = check(text, scope.names)
        return expect(node, kind, "the expression") if kind is not None else node
    except TermsRefused as refused:
        raise (refused if refused.message.startswith(where) else refused.at(where)) from None


def reached(document: Document, texts: Iterable[str], own: Iterable[str]) -> list[tuple[str, str]]:
    """Shared steps that some texts read, directly or through others, in order."""
    wanted = set[str]().union(*(syntax.names_in(text) for text in texts)) - set(own)
    found = []
    for name, text in reversed(document.let):
        if name in wanted:
            found.append((name, text))
            wanted |= syntax.names_in(text)
    return found[::-1]


def action_texts(action: ActionSpec) -> list[str]:
    """All expressions of an action."""
    value = [] if action.kind in ("grant", "notify", "tell") else [action.value]
    parts = [text for _, text in (*action.shares, *action.fields)]
    return value + [text for text in (action.condition, action.due) if text] + parts


def clause_texts(clause: ClauseSpec) -> list[str]:
    """All expressions of a clause's steps and actions."""
    return [text for _, text in clause.let] + [text for action in clause.then for text in action_texts(action)]


def _unique(document: Document, clause: ClauseSpec, steps: list[tuple[str, str]]) -> None:
    """No name means two things. Refuses terms.name_twice."""
    shared = {fact.name for fact in document.facts}
    groups = [
        [p.name for p in document.params], [f.name for f in clause.facts if f.name not in shared], sorted(shared),
        [s.name for s in document.state], [name for name, _ in steps], list(IMPLICIT),
    ]  # fmt: skip
    seen: set[str] = set()
    for name in (name for group in groups for name in group):
        if name in seen:
            raise TermsRefused(
                "terms.name_twice", f"clause {clause.id}: {name} means two things", name, "one meaning", "rename"
            )
        seen.add(name)


def _extra(clause: ClauseSpec) -> list[Fact]:
    names = ["ledger_time"]
    if clause.when.timer:
        names.append("fired_at")
    if any(event.startswith("period.") for event in clause.when.events):
        names += ["opened_at", "closed_at"]
    return [implicit_fact(name) for name in names]


def compile_clause(document: Document, clause: ClauseSpec, place: int, source: Source) -> Clause:
    """Check a clause and write its functions into `source` (c<place>, t<place>, a<place>).

    Refuses: terms.name_twice, what `check` refuses, terms.kind of an action, terms.cost.
    """
    where = f"clause {clause.id}"
    try:
        texts = clause_texts(clause)
        steps = reached(document, texts, [name for name, _ in clause.let]) + list(clause.let)
        timed = reached(document, [clause.when.timer], ()) if clause.when.timer else []
    except TermsRefused as refused:
        raise _find(refused, document, clause) from None
    _unique(document, clause, steps)
    scope = Scope(document, clause, _extra(clause))
    typed: list[tuple[str, Node, str]] = []
    for name, text in steps:
        node = read_expression(text, scope, f"{where}, {name}")
        typed.append((name, node, text))
        scope.names[name] = _result_slot(node, len(typed) - 1)
    actions = [_check_action(action, scope, f"{where}, then[{i}]") for i, action in enumerate(clause.then)]
    cost = sum(node.cost for _, node, _ in typed) + sum(node.cost for parts in actions for node in parts.values())
    if cost > CLAUSE_COST_MAX:
        raise TermsRefused("terms.cost", f"{where} costs too much", str(cost), f"{CLAUSE_COST_MAX} steps at most")
    _write_run(clause, place, scope, typed, actions, source)
    return Clause(
        spec=clause,
        facts=tuple(scope.facts[name] for name in scope.used["f"]),
        state=tuple(scope.used["s"]),
        steps=tuple((name, node.kind, text) for name, node, text in typed),
        values=tuple(parts["value"].kind if "value" in parts else kinds.FLAG for parts in actions),
        cost=cost,
        run=Piece(f"c{place}", tuple(scope.used["p"]), tuple(scope.used["f"])),
        arm=_write_timer(document, clause, place, timed, source) if clause.when.timer else None,
        applies=_write_applies(document, clause, place, source) if clause.only_if else None,
    )


def _find(refused: TermsRefused, document: Document, clause: ClauseSpec) -> TermsRefused:
    """Put the place before a refusal that came from parsing."""
    for name, text in (*document.let, *clause.let):
        try:
            syntax.parse(text)
        except TermsRefused as again:
            if again.message == refused.message:
                return refused.at(f"clause {clause.id}, {name}")
    return refused.at(f"clause {clause.id}")


def _result_slot(node: Node, place: int) -> Node:
    """A step's slot; a list's elements keep their bounds, literals lose their weakness."""
    return Node("slot", node.kind, low=node.low, high=node.high, slot=f"n{place}")


def _check_action(action: ActionSpec, scope: Scope, where: str) -> dict[str, Node]:
    parts: dict[str, Node] = {}
    if action.kind not in ("grant", "notify", "tell"):
        node = read_expression(action.value, scope, where)
        if action.kind == "gate":
            node = expect(node, kinds.FLAG, f"{where}: what gates")
        elif action.kind in MONEY_ACTIONS:
            node = expect(node, kinds.MONEY, f"{where}: what is to {action.kind}")
        elif node.kind.base != "number" or kinds.unit_of(node.kind) not in kinds.UNITS:
            raise TermsRefused(
                "terms.kind", f"{where}: cannot be posted", str(node.kind), "money, qty, int, ...", hint(node)
            )
        parts["value"] = node
    if action.condition:
        parts["if"] = read_expression(action.condition, scope, f"{where}.if", kinds.FLAG)
    if action.due:
        parts["due"] = read_expression(action.due, scope, f"{where}.due", kinds.TIME)
    for name, text in action.shares:
        node = read_expression(text, scope, f"{where}.between.{name}")
        if node.kind.base != "number":
            raise TermsRefused("terms.kind", f"{where}: a share is a number", str(node.kind), "int, rate, qty, money")
        parts[f"share {name}"] = node
    for name, text in action.fields:
        parts[f"field {name}"] = read_expression(text, scope, f"{where}.with.{name}")
    return parts


def _head(name: str, scope: Scope, source: Source) -> None:
    """The function's first lines: parameters unpacked, facts and state read and checked."""
    emitter = source.emitter
    source.add(f"def {name}(P, F, S):")
    params = scope.used["p"]
    if params:
        source.add(f"    {', '.join(f'p{i}' for i in range(len(params)))}, = P")
    for place, fact_name in enumerate(scope.used["f"]):
        fact = scope.facts[fact_name]
        default = "" if fact.default is None else f", {emitter.constant(fact.default)}"
        _read(source, f"f{place}", f"F.get({emitter.constant(fact_name)}{default})", fact_name, fact.kind)
    for place, state_name in enumerate(scope.used["s"]):
        kind = scope.state[state_name]
        start = "False" if kind.base == "flag" else "0"
        _read(source, f"s{place}", f"S.get({emitter.constant(state_name)}, {start})", state_name, kind)


def _read(source: Source, target: str, code: str, name: str, kind: Kind) -> None:
    """One value from outside, checked inline where it is a number, a time or a flag."""
    emitter = source.emitter
    blame = f"wrong({emitter.constant(name)}, {emitter.constant(kind)}, {target})"
    if kind.base in ("number", "time"):
        source.add(f"    {target} = {code}", name)
        source.add(f"    if type({target}) is not int or not {kind.low} <= {target} <= {kind.high}: {blame}", name)
    elif kind.base == "flag":
        source.add(f"    {target} = {code}", name)
        source.add(f"    if {target} is not True and {target} is not False: {blame}", name)
    else:
        source.add(f"    {target} = accept({emitter.constant(name)}, {emitter.constant(kind)}, {code})", name)


def _tuple(letter: str, count: int) -> str:
    return "(" + "".join(f"{letter}{i}, " for i in range(count)).rstrip() + ")"


def _write_run(
    clause: ClauseSpec,
    place: int,
    scope: Scope,
    typed: list[tuple[str, Node, str]],
    actions: list[dict[str, Node]],
    source: Source,
) -> None:
    _head(f"c{place}", scope, source)
    emitter = source.emitter
    for number, (name, node, _) in enumerate(typed):
        source.add(f"    n{number} = {emitter.code(node)}", name)
    if actions:
        source.add("    A = []")
    for number, parts in enumerate(actions):
        spec = clause.then[number]
        label = f"then[{number}]"
        test = emitter.code(parts["if"]) if "if" in parts else "True"
        value = emitter.code(parts["value"]) if "value" in parts else "True"
        due = emitter.code(parts["due"]) if "due" in parts else "0"
        more = [emitter.code(node) for key, node in sorted(parts.items()) if key.startswith(("share ", "field "))]
        more_code = f"({', '.join(more)},)" if more else "()"
        source.add(f"    if {test}: A.append(({number}, {value}, {due}, {more_code}))", f"{label} {spec.kind}")
    count = {key: len(used) for key, used in scope.used.items()}
    last = "A" if actions else "()"
    source.add(f"    return {_tuple('f', count['f'])}, {_tuple('s', count['s'])}, {_tuple('n', len(typed))}, {last}")


def _write_timer(
    document: Document, clause: ClauseSpec, place: int, timed: list[tuple[str, str]], source: Source
) -> Piece:
    """The timer as a function of parameters and of the facts that arm it. Refuses terms.timer."""
    where = f"clause {clause.id}, timer"
    own = [(name, text) for name, text in clause.let]
    wanted = syntax.names_in(clause.when.timer)
    steps: list[tuple[str, str]] = []
    for name, text in reversed([*timed, *own]):
        if name in wanted:
            steps.append((name, text))
            wanted |= syntax.names_in(text)
    scope = Scope(document, clause)
    lines = []
    for number, (name, text) in enumerate(reversed(steps)):
        node = read_expression(text, scope, where)
        lines.append((number, node))
        scope.names[name] = _result_slot(node, number)
    node = read_expression(clause.when.timer, scope, where, kinds.TIME)
    if scope.used["s"]:
        expected = "parameters and facts"
        raise TermsRefused(
            "terms.timer", f"{where}: a timer cannot depend on state", ", ".join(scope.used["s"]), expected
        )
    if not scope.used["f"]:
        raise TermsRefused(
            "terms.timer", f"{where}: nothing arms it", clause.when.timer, "a fact's time", "name a fact"
        )
    _head(f"t{place}", scope, source)
    for number, step in lines:
        source.add(f"    n{number} = {source.emitter.code(step)}", "timer")
    source.add(f"    return {source.emitter.code(node)}", "timer")
    return Piece(f"t{place}", tuple(scope.used["p"]), tuple(scope.used["f"]))


def _write_applies(document: Document, clause: ClauseSpec, place: int, source: Source) -> Piece:
    where = f"clause {clause.id}, only_if"
    scope = Scope(document, None)
    node = read_expression(clause.only_if, scope, where, kinds.FLAG)
    if scope.used["f"] or scope.used["s"]:
        raise TermsRefused("terms.kind", f"{where}: only parameters decide", clause.only_if, "parameters")
    _head(f"a{place}", scope, source)
    source.add(f"    return {source.emitter.code(node)}", "only_if")
    return Piece(f"a{place}", tuple(scope.used["p"]))


def compile_fold(document: Document, state: StateSpec, event: str, text: str, name: str, source: Source) -> Piece:
    """One fold as a function `name` of parameters and the event's fields."""
    where = f"state.{state.name}, {event}"
    declared = dict(state.fields)
    params = {param.name for param in document.params}
    read = syntax.names_in(text) - params
    fields = [Fact(n, declared.get(n, state.kind), (event,), n, state.attest) for n in sorted(read)]
    scope = Scope(document, None)
    scope.facts = {fact.name: fact for fact in fields}
    scope.state = {}
    kind = kinds.FLAG if state.op == "count" else state.kind
    node = read_expression(text, scope, where, kind)
    _head(name, scope, source)
    source.add(f"    return {source.emitter.code(node)}", where)
    return Piece(name, tuple(scope.used["p"]), tuple(scope.used["f"]))


def finish(source: Source) -> dict[str, Any]:
    """Compile everything written; returns functions by generated name."""
    return build("\n".join(source.lines) + "\n", source.emitter.constants)
