"""A template, compiled; and terms: a template with its parameters bound, ready to be evaluated.

template = compile_template(text)            # refuses what must not be registered
terms = template.bind({"rate": "10.5%", ...})
result = terms.evaluate("late", facts)       # facts in base units
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import rfc8785

from hanse.rooms.contracts.terms import kinds, yamlsafe
from hanse.rooms.contracts.terms.document import read_document
from hanse.rooms.contracts.terms.emit import FILE
from hanse.rooms.contracts.terms.kinds import Kind
from hanse.rooms.contracts.terms.periods import Span, period_at
from hanse.rooms.contracts.terms.program import Clause, Piece, Run, Source, compile_clause, compile_fold, finish
from hanse.rooms.contracts.terms.refused import TermsRefused
from hanse.rooms.contracts.terms.result import Layout, Result, actions_of, layout
from hanse.rooms.contracts.terms.runtime import accept, fit
from hanse.rooms.contracts.terms.schema import HOLE, Document, Fact, Param, StateSpec
from hanse.rooms.contracts.terms.values import decimals_of, read

NO_STATE: dict[str, Any] = {}


@dataclass(frozen=True)
class Template:
    """A compiled template.

    Fields:
        document: as read. canonical: canonical JSON (RFC 8785), which compiles to the same template.
        sha256: its digest in hex, the template's name on the record. clauses: checked, in order.
        warnings: what a reader should look at, none of it a reason to refuse.
    """

    document: Document
    canonical: bytes
    sha256: str
    clauses: tuple[Clause, ...]
    folds: Mapping[tuple[str, str], Piece]
    functions: Mapping[str, Any]
    labels: Mapping[int, str]
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The template's name, such as late-delivery."""
        return self.document.name

    @property
    def version(self) -> str:
        """The author's version, such as 1.0.0."""
        return self.document.version

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles that sign."""
        return self.document.roles

    @cached_property
    def _by_id(self) -> dict[str, Clause]:
        return {clause.id: clause for clause in self.clauses}

    def clause(self, clause_id: str) -> Clause:
        """A clause by name. Refuses terms.unknown_clause."""
        found = self._by_id.get(clause_id)
        if found is None:
            raise TermsRefused("terms.unknown_clause", "no such clause", clause_id, ", ".join(self._by_id))
        return found

    def bind(self, params: Mapping[str, Any]) -> "Terms":
        """Terms with these parameters, as written or in base units.

        Refuses, in order: terms.unknown_param, terms.value_missing, terms.value_text, terms.money_fraction,
        terms.value_type, terms.value_range, terms.tiers_order.
        """
        return Terms(self, bind_params(self.document.params, params))


def bind_params(declared: tuple[Param, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Each declared parameter in base units, by name, defaults filled in. Refuses as `Template.bind`."""
    known = {param.name: param for param in declared}
    for name in given:
        if name not in known:
            raise TermsRefused("terms.unknown_param", f"no parameter {name}", str(name), ", ".join(known))
    decimals = decimals_of(currency_of(known, given))
    values: dict[str, Any] = {}
    for name, param in known.items():
        raw = given.get(name, param.default)
        if raw is None:
            raise TermsRefused("terms.value_missing", f"{name} is missing", "nothing", str(param.kind), f"give {name}")
        values[name] = read(name, param.kind, raw, decimals)
    return values


def currency_of(known: Mapping[str, Param], given: Mapping[str, Any]) -> str:
    """The agreement's currency: the parameter of that name, "" where the template has none."""
    if "currency" not in known:
        return ""
    return str(given.get("currency", known["currency"].default or ""))


class Terms:
    """A template with its parameters bound: pure functions of facts and state."""

    def __init__(self, template: Template, params: dict[str, Any]) -> None:
        self.template = template
        self.params = params
        self.currency = str(params.get("currency", ""))
        self.decimals = decimals_of(self.currency)
        self._runs: dict[str, tuple[Run, tuple[Any, ...], Clause]] = {}
        for clause in template.clauses:
            self._runs[clause.id] = (*self._bound(clause.run), clause)

    def _bound(self, piece: Piece) -> tuple[Run, tuple[Any, ...]]:
        return self.template.functions[piece.name], tuple(self.params[name] for name in piece.params)

    def _call(self, piece: Piece, facts: Mapping[str, Any]) -> Any:
        run, params = self._bound(piece)
        try:
            return run(params, facts, NO_STATE)
        except TermsRefused as refused:
            raise self._placed(refused) from None

    @cached_property
    def params_json(self) -> bytes:
        """Canonical JSON of the parameters in base units; integers beyond 2^53-1 as text."""
        return rfc8785.dumps({name: plain(value) for name, value in self.params.items()})

    @cached_property
    def params_sha256(self) -> str:
        """Digest of `params_json`, in hex."""
        return hashlib.sha256(self.params_json).hexdigest()

    @cached_property
    def sha256(self) -> str:
        """Digest that names template and parameters together, in hex."""
        both = rfc8785.dumps({"params": self.params_sha256, "template": self.template.sha256})
        return hashlib.sha256(both).hexdigest()

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """Clauses that stand under these parameters (`only_if`)."""
        found = self.template.clauses
        return tuple(c for c in found if c.applies is None or self._call(c.applies, NO_STATE))

    def evaluate(self, clause_id: str, facts: Mapping[str, Any], state: Mapping[str, Any] = NO_STATE) -> Result:
        """Run one clause.

        Args:
            facts: fact name -> base value (int, bool, str, tuple); names that the clause does not read are ignored.
            state: fold name -> base value; a fold that is missing has not begun (0).
        Refuses: terms.unknown_clause, terms.value_missing, terms.value_type, terms.value_range, terms.division_by_zero,
        terms.overflow, terms.index, terms.empty_list, terms.negative_amount, terms.split; each names the step.
        """
        found = self._runs.get(clause_id)
        if found is None:
            self.template.clause(clause_id)
            raise AssertionError(clause_id)
        run, params, clause = found
        try:
            fact_values, state_values, steps, raw = run(params, facts, state)
            return Result(
                self, clause_id, fact_values, state_values, steps, actions_of(clause.spec.then, raw) if raw else ()
            )
        except TermsRefused as refused:
            raise self._placed(refused).at(f"clause {clause_id}") from None

    def _placed(self, refused: TermsRefused) -> TermsRefused:
        """Name the step in which generated code refused: the line it stood on says so."""
        trace = refused.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == FILE:
                label = self.template.labels.get(trace.tb_lineno, "")
                return refused.at(label) if label and label not in refused.message else refused
            trace = trace.tb_next
        return refused

    def timer(self, clause_id: str, facts: Mapping[str, Any]) -> int:
        """When a clause's timer fires, UTC seconds. Refuses terms.no_timer, and as `evaluate`."""
        clause = self.template.clause(clause_id)
        if clause.arm is None:
            raise TermsRefused(
                "terms.no_timer", f"clause {clause_id} has no timer", clause_id, "a clause with when.timer"
            )
        return int(self._call(clause.arm, facts))

    def events(self, clause_id: str) -> tuple[str, ...]:
        """Events that trigger a clause (or arm its timer), parameters filled in."""
        clause = self.template.clause(clause_id)
        if clause.arm is None:
            return tuple(self.fill(event) for event in clause.spec.when.events)
        armed = [fact for fact in clause.facts if fact.name in clause.arm.facts]
        arming = {fact.name: fact for fact in (*self.template.document.facts, *clause.spec.facts, *armed)}
        names = [event for name in clause.arm.facts for event in arming[name].events]
        return tuple(dict.fromkeys(self.fill(event) for event in names))

    def triggered_by(self, event: str) -> tuple[str, ...]:
        """Clauses in force that an event triggers directly (not those whose timer it arms)."""
        return tuple(clause.id for clause in self.clauses if clause.arm is None and event in self.events(clause.id))

    def sources(self, clause_id: str) -> tuple[tuple[str, tuple[str, ...], str, Fact], ...]:
        """Where each fact comes from: (name, events, field, declaration), parameters filled in; timers' facts too."""
        clause = self.template.clause(clause_id)
        armed = clause.arm.facts if clause.arm else ()
        known = {fact.name: fact for fact in (*self.template.document.facts, *clause.spec.facts, *clause.facts)}
        names = dict.fromkeys([*(fact.name for fact in clause.facts), *armed])
        facts = [known[name] for name in names]
        return tuple((f.name, tuple(self.fill(e) for e in f.events), self.fill(f.field), f) for f in facts)

    def fill(self, text: str) -> str:
        """A name that may be "{param}"."""
        match = HOLE.fullmatch(text)
        return str(self.params[match[1]]) if match else text

    def wait(self, raw: str | int) -> int:
        """A declared wait in seconds; -1 where none is declared."""
        if isinstance(raw, int):
            return raw
        match = HOLE.fullmatch(raw)
        return int(self.params[match[1]]) if match else -1

    def period(self, at: int) -> Span:
        """The calendar period of a time (UTC seconds). Refuses terms.no_period."""
        spec = self.template.document.period
        if spec is None:
            raise TermsRefused("terms.no_period", "the template declares no period", next="add period: {every: month}")
        every = self.fill(spec.every) if isinstance(spec.every, str) else spec.every
        return period_at(
            int(every) if str(every).isdigit() else every, self.wait(spec.utc_offset), spec.first_month, at
        )

    def fold(
        self, event: str, fields: Mapping[str, Any], state: Mapping[str, Any], only: Collection[str] | None = None
    ) -> dict[str, Any]:
        """State after an event; fields that no fold reads are ignored. Refuses as `evaluate`.

        Args:
            only: names of the folds that the event moves; None: all that read it.
        """
        after = dict(state)
        for spec in self.template.document.state:
            piece = self.template.folds.get((spec.name, event))
            if piece is not None and (only is None or spec.name in only):
                value = self._call(piece, fields)
                after[spec.name] = accept(spec.name, spec.kind, _folded(spec, state.get(spec.name), value))
        return after

    def read_facts(self, clause_id: str, written: Mapping[str, Any]) -> dict[str, Any]:
        """Facts as people write them, in base units. Refuses terms.unknown_fact, and as `bind`."""
        known = {name: fact.kind for name, _, _, fact in self.sources(clause_id)}
        known |= {name: kind for name, kind in self.state_kinds.items()}
        for name in written:
            if name not in known:
                raise TermsRefused(
                    "terms.unknown_fact", f"clause {clause_id} reads no {name}", str(name), ", ".join(known)
                )
        return {name: read(name, known[name], raw, self.decimals) for name, raw in written.items()}

    @cached_property
    def state_kinds(self) -> dict[str, Kind]:
        """Fold name -> kind."""
        return {spec.name: spec.kind for spec in self.template.document.state}

    def layout(self, clause_id: str) -> Layout:
        """Keys of a clause's record, kept."""
        found = self._layouts.get(clause_id)
        if found is None:
            clause = self.template.clause(clause_id)
            found = layout(tuple(fact.name for fact in clause.facts), clause.state, clause.steps)
            self._layouts[clause_id] = found
        return found

    @cached_property
    def _layouts(self) -> dict[str, Layout]:
        return {}

    def prose(self, parties: Mapping[str, str] | None = None) -> list[str]:
        """The agreement's sentences, one per clause in force, parameters and parties' names filled in."""
        from hanse.rooms.contracts.terms.prose import sentences

        return sentences(self, parties or {})


def _folded(spec: StateSpec, before: Any, value: Any) -> Any:
    if spec.op == "count":
        return fit((before or 0) + (1 if value else 0))
    if spec.op == "add":
        return fit((before or 0) + value)
    if spec.op == "last" or before is None:
        return value
    return max(before, value) if spec.op == "max" else min(before, value)


def plain(value: Any) -> Any:
    """A base value as JSON has it: tuples become lists, integers beyond 2^53-1 text."""
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    if type(value) is int and abs(value) > 2**53 - 1:
        return str(value)
    return value


def compile_template(text: str | bytes | Mapping[str, Any]) -> Template:
    """Read, check and compile a template; everything that registration refuses is refused here.

    Args:
        text: YAML (its strict part, see `yamlsafe`), canonical JSON, or an already parsed map.
    Refuses, in order: what `yamlsafe.load`, `read_document`, `compile_clause` refuse; terms.name_twice (clauses);
    terms.role; terms.text (unknown word in braces); terms.not_in_text (a parameter that no clause's text mentions);
    terms.not_in_rule (a parameter that texts mention and no rule reads); terms.reference; terms.attest (the one who
    gains is enough alone); terms.example (an example does not come out).
    """
    from hanse.rooms.contracts.terms.registration import examine

    raw = yamlsafe.load(text if isinstance(text, str | bytes) else _as_json(text))
    document = read_document(raw)
    canonical = _canonical(document)
    source = Source()
    clauses = tuple(compile_clause(document, clause, place, source) for place, clause in enumerate(document.clauses))
    folds: dict[tuple[str, str], Piece] = {}
    for spec in document.state:
        for event, expression in spec.by:
            folds[(spec.name, event)] = compile_fold(document, spec, event, expression, f"g{len(folds)}", source)
    template = Template(
        document=document,
        canonical=canonical,
        sha256=hashlib.sha256(canonical).hexdigest(),
        clauses=clauses,
        folds=folds,
        functions=finish(source),
        labels=source.labels,
    )
    return examine(template)


def _as_json(parsed: Mapping[str, Any]) -> str:
    """A parsed map as text, so that it passes the same reader as any other."""
    try:
        return json.dumps(parsed, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise TermsRefused(
            "terms.form", "not a template", type(parsed).__name__, "maps, lists, text, integers"
        ) from None


def _canonical(document: Document) -> bytes:
    try:
        data = rfc8785.dumps(document.canonical)
    except rfc8785.CanonicalizationError:
        expected = "integers within +-(2^53-1); larger ones as text"
        raise TermsRefused("terms.number_size", "a number too large for canonical JSON", expected=expected) from None
    if len(data) > yamlsafe.TEXT_BYTES_MAX:
        expected = f"{yamlsafe.TEXT_BYTES_MAX} bytes at most"
        raise TermsRefused("terms.yaml_size", "the canonical form is too large", str(len(data)), expected)
    return data


__all__ = ["Template", "Terms", "bind_params", "compile_template", "kinds"]
