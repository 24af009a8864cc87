"""Clauses at work in a circle: what happens is folded, triggers clauses, arms timers; results become awards.

A clause runs once for each key, when its trigger stands and every fact that it needs is attested by those who must have
signed it; until then its run waits. Nobody gains by what they alone have signed. What cannot be computed ends in a
failed run with its code: nothing here refuses, for a delivery stands whatever a clause makes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.rooms.contracts import awards
from hanse.rooms.contracts.folding import fold, period_at, state_of
from hanse.rooms.contracts.happening import Context, Happening, best, decode, encode, is_attested, value_of
from hanse.rooms.contracts.orders_seen import find_in_orders
from hanse.rooms.contracts.private_rows import (
    AGREEMENTS,
    ARMED,
    BOUND,
    CIRCLE_ROWS,
    DONE,
    EXCUSED,
    FAILED,
    RESULTS,
    VERSIONS,
    WAITING,
    Result,
    Version,
)
from hanse.rooms.contracts.scope import in_scope
from hanse.rooms.contracts.stored import about, concerned, encode_key, keep, plan_for, stored, version_at
from hanse.rooms.contracts.terms import Action, Attest, TermsRefused, explain
from hanse.rooms.contracts.terms import Result as Outcome
from hanse.rooms.contracts.told import RightGranted
from hanse.rooms.contracts.waits import circle_row, drop_wait, may_tell, put_wait
from hanse.rooms.orders.rows import ORDERS

DEPTH_MAX = 4
"""How far clauses may set each other off."""
RETRIES_MAX = 500
EXCHANGE = "exchange_rate.agreed"


def observe(draft: Draft, happening: Happening, near: Sequence[Happening] = (), depth: int = 0) -> None:
    """Let every agreement that an event concerns hear of it.

    Args:
        near: happenings that came with it and are not stored, such as the confirmation of the delivered line.
    The version that counts: of an order's event, the one bound when the order was placed; else the one in force when it
    occurred.
    """
    bound: dict[str, int] | None = None
    if "order" in happening.keys:
        row = draft.get(BOUND, draft.circle, happening.keys["order"])
        if row is not None:
            bound = dict(row.versions)
        elif not happening.one_sided and draft.get(ORDERS, happening.keys["order"]) is not None:
            return
    for name in concerned(draft, happening):
        agreement = draft.get(AGREEMENTS, draft.circle, name)
        assert agreement is not None, "the circle's row names agreements that stand"
        number = version_at(agreement, happening.at) if bound is None else bound.get(name, 0)
        version = draft.get(VERSIONS, draft.circle, name, number) if number else None
        if version is not None and in_scope(draft, version.content.scope, happening.keys.get("item", "")):
            Run(draft, version).take(happening, tuple(near), depth)


class Run:
    """One version of an agreement, at work in one draft."""

    def __init__(self, draft: Draft, version: Version) -> None:
        self.draft, self.version, self.plan = draft, version, plan_for(draft, version)
        self.terms = self.plan.terms

    def take(self, happening: Happening, near: tuple[Happening, ...], depth: int = 0) -> None:
        """Fold an event, run the clauses that it triggers, arm timers, and try again what waited for it."""
        plan, event = self.plan, happening.event
        if event not in plan.events:
            return
        try:
            fold(self.draft, self.version, plan, happening)
        except TermsRefused as refused:
            self._put("fold", encode_key((event, happening.id)), FAILED, code=refused.code)
        for clause in plan.on.get(event, ()):
            self.run(clause, happening, near, depth)
        for clause in plan.arms.get(event, ()):
            self.arm(clause, happening, near)
        for clause in plan.reads.get(event, ()):
            self._retry(clause, depth)

    def key(self, clause: str, happening: Happening) -> str:
        """What a clause runs once for, "" where the event does not say it."""
        parts = []
        for name in self.plan.once[clause]:
            value = happening.keys.get(name, "")
            if not value and name == "period" and self.terms.template.document.period is not None:
                value = period_at(self.draft, self.version, self.terms, happening.at).key
            if not value:
                return ""
            parts.append(value)
        return encode_key(parts)

    def run(self, clause: str, happening: Happening, near: tuple[Happening, ...], depth: int = 0) -> None:
        """Run a clause for an event, once."""
        key = self.key(clause, happening)
        before = self.draft.get(RESULTS, self.draft.circle, self.version.agreement, clause, key) if key else None
        if not key or (before is not None and before.state != WAITING):
            return
        self._attempt(clause, key, happening, near, depth)

    def _attempt(self, clause: str, key: str, happening: Happening, near: tuple[Happening, ...], depth: int) -> None:
        try:
            facts, found, missing = self.gather(clause, happening, near)
            missing = missing or self._untrusted(clause, happening)
            if missing:
                self._wait(clause, key, happening, near, missing)
                return
            state, entries = state_of(self.draft, self.version, self.terms, clause, happening)
            outcome = self.terms.evaluate(clause, facts, state)
        except TermsRefused as refused:
            self._put(clause, key, FAILED, code=refused.code)
            return
        if self._gainer_alone(outcome.actions, [happening, *found.values()]):
            self._wait(clause, key, happening, near, "contracts.gainer_alone")
            return
        self._conclude(clause, key, outcome, happening, found, entries, depth)

    def gather(
        self, clause: str, happening: Happening, near: tuple[Happening, ...]
    ) -> tuple[dict[str, Any], dict[str, Happening], str]:
        """(facts in base units, fact -> where it comes from, code of the first that is missing or "").

        Raises: TermsRefused, where a field cannot be read.
        """
        facts: dict[str, Any] = {}
        found: dict[str, Happening] = {}
        missing = ""
        foreign = self._foreign(happening, near)
        for name, events, field, fact in self.plan.sources[clause]:
            if fact.implicit:
                facts[name] = self._implicit(name, happening)
                continue
            hit = self._find(events, fact.attest, self.terms.wait(fact.window), happening, near)
            value: Any = True if fact.exists else None
            if hit is not None and not fact.exists:
                value = value_of(hit, name, field, fact.kind, self.terms.decimals)
            if hit is not None and value is not None:
                facts[name], found[name] = value, hit
            elif fact.default is None or (foreign and EXCHANGE in events):
                missing = missing or f"contracts.missing_fact.{name}"
        if foreign and not any(EXCHANGE in events for _, events, _, _ in self.plan.sources[clause]):
            missing = missing or "contracts.other_currency"
        return facts, found, missing

    def _foreign(self, happening: Happening, near: tuple[Happening, ...]) -> bool:
        """Whether what happened is priced in another currency than the agreement's."""
        own = self.terms.currency
        return bool(own) and any(h.fields.get("currency", own) != own for h in (happening, *near))

    def _implicit(self, name: str, happening: Happening) -> int:
        if name == "ledger_time":
            return happening.ledger_at
        return happening.at if name == "fired_at" else int(happening.fields.get(name, 0))

    def _find(
        self, events: tuple[str, ...], attest: Attest, window: int, happening: Happening, near: tuple[Happening, ...]
    ) -> Happening | None:
        """The best attested happening of any of these events: the trigger, what came with it, stored, or of orders."""
        if window < 0:
            window = self.terms.wait(self.terms.template.document.waits.window or -1)
        names, told = self.version.names, circle_row(self.draft).told

        def good(found: Happening) -> bool:
            early = window >= 0 and found.by == "signed" and not found.one_sided and found.at < found.ledger_at - window
            mine = found.agreement in ("", self.version.agreement)
            return mine and not early and is_attested(attest, names, found)

        for event in events:
            near_hits = [h for h in (happening, *near) if h.event == event and good(h)]
            if near_hits:
                return best(near_hits, happening.keys)
            if event in told:
                hits = [self._sided(stored(row)) for row in about(self.draft, event, happening.keys)]
                hit = best([h for h in hits if good(h)], happening.keys)
                if hit is not None:
                    return hit
            seen = find_in_orders(self.draft, event, happening.keys)
            if seen is not None and good(seen):
                return seen
        return None

    def _sided(self, happening: Happening) -> Happening:
        return replace(happening, one_sided=True) if self.version.one_sided else happening

    def _untrusted(self, clause: str, happening: Happening) -> str:
        """The code where those who must sign the trigger itself have not all done so, or its window has passed."""
        if happening.by != "signed":
            return ""
        attest = self.plan.attests.get(happening.event)
        if attest is None or not (attest.all_of or attest.any_of):
            signed = (
                happening.one_sided
                or set(self.version.names[r] for r in self.terms.template.roles) <= happening.parties
            )
            return "" if signed else "contracts.unsigned"
        return "" if is_attested(attest, self.version.names, happening) else "contracts.unsigned"

    def _gainer_alone(self, actions: Sequence[Action], happenings: Sequence[Happening]) -> bool:
        """Whether anybody would receive money by an event that they alone have signed."""
        for action in actions:
            if action.kind in awards.MONEY and action.value:
                gainer = self.version.names.get(action.to if action.value > 0 else action.sender, "")
                if any(h.by == "signed" and not h.one_sided and h.parties == {gainer} for h in happenings):
                    return True
        return False

    def _conclude(
        self,
        clause: str,
        key: str,
        outcome: Outcome,
        happening: Happening,
        found: dict[str, Happening],
        entries: set[int],
        depth: int,
    ) -> None:
        """Write a run with its explanation; its awards, rights, and what it tells other clauses."""
        if not outcome.actions:
            self._put(clause, key, DONE)
            return
        proof = explain(outcome, {name: h.evidence for name, h in found.items()}, self.version.agreement)
        evidence = entries | {at for h in (happening, *found.values()) for _, at in h.signers}
        numbers, told = [], []
        for action in outcome.actions:
            if action.kind in awards.MONEY and action.value:
                numbers.append(
                    awards.post(
                        self.draft, self.version, clause, key, action, proof.sha256, evidence, self.terms.currency
                    )
                )
            elif action.kind in ("grant", "notify"):
                self._grant(clause, action, happening)
            if action.event:
                told.append(action)
        self._put(
            clause,
            key,
            DONE,
            sha256=proof.sha256,
            record=proof.bytes.decode(),
            actions=tuple((a.kind, str(a.value), a.otherwise or a.label or a.event, a.to) for a in outcome.actions),
            awards=tuple(numbers),
        )
        for number, action in enumerate(told):
            self._tell(clause, key, number, action, happening, depth)

    def _grant(self, clause: str, action: Action, happening: Happening) -> None:
        party = self.version.names.get(action.to, "")
        if may_tell(self.draft):
            key = tuple(sorted(happening.keys.items()))
            agreement = self.version.agreement
            self.draft.tell(
                RightGranted(
                    circle=self.draft.circle,
                    agreement=agreement,
                    clause=clause,
                    kind=action.kind,
                    label=action.label,
                    party=party,
                    key=key,
                )
            )

    def _tell(self, clause: str, key: str, number: int, action: Action, happening: Happening, depth: int) -> None:
        """An event that a clause tells: kept, and heard by this agreement's other clauses."""
        fields = dict(action.fields) if action.kind == "tell" else {"amount": int(action.value)}
        own = Happening(
            event=action.event,
            id=f"{self.version.agreement}/{clause}/{key}/{number}",
            at=happening.at,
            ledger_at=self.draft.now,
            keys=happening.keys,
            fields=fields,
            by="own",
            agreement=self.version.agreement,
        )
        keep(self.draft, own)
        if depth < DEPTH_MAX:
            self.take(own, (), depth + 1)

    # timers

    def arm(self, clause: str, happening: Happening, near: tuple[Happening, ...]) -> None:
        """Set or move a clause's timer, as its facts now stand."""
        key = self.key(clause, happening)
        before = self.draft.get(RESULTS, self.draft.circle, self.version.agreement, clause, key) if key else None
        if not key or (before is not None and before.state not in (ARMED, WAITING)):
            return
        try:
            facts, _, missing = self.gather(clause, happening, near)
            needed = self.terms.template.clause(clause).arm
            assert needed is not None, "only clauses with a timer are armed"
            if any(name not in facts for name in needed.facts):
                self._wait(clause, key, happening, near, missing or "contracts.missing_fact")
                return
            due = max(0, self.terms.timer(clause, facts))
        except TermsRefused as refused:
            self._put(clause, key, FAILED, code=refused.code)
            return
        wait = f"timer/{self.version.agreement}/{clause}/{key}"
        if before is not None and before.state == ARMED:
            if before.due_at == due:
                return
            drop_wait(self.draft, before.due_at, wait)
        came = next((h.event for h in near if self._spares(clause, h, due)), "")
        if came:
            self._put(clause, key, EXCUSED, code=came)
            return
        self._put(clause, key, ARMED, due_at=due, context=encode(Context(happening, near)).decode())
        put_wait(self.draft, due, wait, "timer", self.version.agreement, clause, key)

    def fire(self, clause: str, key: str, before: Result) -> None:
        """A timer's time has come: run its clause, unless what it waited for came first."""
        context = decode(before.context)
        trigger = Happening(
            event="timer",
            id=key,
            at=before.due_at,
            ledger_at=self.draft.now,
            keys=context.trigger.keys,
            by="ledger",
            fields={k: v for k, v in context.trigger.fields.items() if k == "currency"},
            one_sided=self.version.one_sided,
        )
        near = (context.trigger, *context.near)
        for event in self.plan.unless[clause]:
            attest = self._attest_of(event)
            hit = self._find((event,), attest, -1, trigger, ()) or self._own(event, trigger)
            if hit is not None and not (hit.one_sided and hit.at > before.due_at):
                self._put(clause, key, EXCUSED, code=event)
                return
        self._attempt(clause, key, trigger, near, 0)

    def _attest_of(self, event: str) -> Attest:
        """Who must have signed an event that keeps a timer from firing: as a fact says, else all roles."""
        return self.plan.attests.get(event) or Attest(all_of=self.terms.template.roles)

    def _spares(self, clause: str, happening: Happening, due: int) -> bool:
        """Whether a happening that came with the trigger keeps the timer from firing."""
        known = happening.event in self.plan.unless[clause] and happening.at <= due
        return known and is_attested(self._attest_of(happening.event), self.version.names, happening)

    def _own(self, event: str, trigger: Happening) -> Happening | None:
        """An event that this agreement's own clauses told."""
        if event not in circle_row(self.draft).told:
            return None
        rows = [row for row in about(self.draft, event, trigger.keys) if row.agreement == self.version.agreement]
        return best([stored(row) for row in rows if not row.signers], trigger.keys)

    def _retry(self, clause: str, depth: int) -> None:
        """Try again every run of a clause that waits for a fact."""
        if f"{self.version.agreement}/{clause}" not in circle_row(self.draft).waiting:
            return
        rows = self.draft.scan(
            RESULTS, agreement=self.version.agreement, clause=clause, state=WAITING, limit=RETRIES_MAX
        )
        armed = self.terms.template.clause(clause).arm is not None
        for row in rows:
            context = decode(row.context)
            if armed and context.trigger.event != "timer":
                self.arm(clause, context.trigger, context.near)
            else:
                self._attempt(clause, row.key, context.trigger, context.near, depth)

    def _wait(self, clause: str, key: str, happening: Happening, near: tuple[Happening, ...], code: str) -> None:
        self._put(clause, key, WAITING, code=code, context=encode(Context(happening, near)).decode())
        row, name = circle_row(self.draft), f"{self.version.agreement}/{clause}"
        if name not in row.waiting:
            self.draft.put(CIRCLE_ROWS, replace(row, waiting=tuple(sorted({*row.waiting, name}))))

    def _put(self, clause: str, key: str, state: str, **rest: Any) -> None:
        self.draft.put(
            RESULTS,
            Result(
                circle=self.draft.circle,
                agreement=self.version.agreement,
                clause=clause,
                key=key,
                version=self.version.version,
                state=state,
                at=self.draft.now,
                **rest,
            ),
        )
