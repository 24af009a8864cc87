"""What parties sign of agreements: templates, proposals, signatures, attested events, confirmations, disputes.

But for registered templates, the record shows strangers a circle and digests, nothing of an agreement.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from hanse.kernel.facts import (
    END,
    WITHHELD,
    Commercial,
    Fact,
    Hash,
    Id,
    LongText,
    Minor,
    OptionalId,
    Part,
    Seconds,
    Text,
)

TEMPLATE_CHARS_MAX = 45_000
EVENTS_PER_FACT_MAX = 50
Word = Annotated[str, Meta(min_length=1, max_length=80)]
EventName = Annotated[
    str, Meta(max_length=200, pattern=rf"^[a-z][a-z0-9_]{{0,47}}(\.[a-z][a-z0-9_]{{0,47}}){{0,3}}{END}")
]
Undecided = Literal["stands", "void"]
Position = Annotated[int, Meta(ge=0, le=2**62)]
"""An entry of the record."""
Amount = Annotated[int, Meta(ge=0, le=10**17)]


class RegisterTemplate(Fact, frozen=True, kw_only=True):
    """A template, public: everybody may propose an agreement under it. `text`: its YAML, or canonical JSON.

    `sha256`: of its canonical JSON, by which agreements name it.
    """

    kind: ClassVar[str] = "contracts.register_template"
    sha256: Hash
    text: Annotated[str, Meta(max_length=TEMPLATE_CHARS_MAX)]


class Propose(Fact, frozen=True, kw_only=True):
    """Terms that a party offers; its signature binds it until `answer_by`.

    template: a registered one's hash. params: as written ("10.5%") or in base units. roles: role -> party; in a home
        circle the other roles are names in words. others: further names under `attest` (carrier, customer) -> party.
    arbiter: a party that decides disputes, "" for none. scope: "*", or any of item:ID, brand:NAME, category:NAME.
    from_at, until_at: UTC seconds; from 0: when all have signed; until 0: open. answer_by: unsigned then, it lapses.
    objection_seconds: how long a result may be disputed; the template's own objection period goes before.
    dispute_seconds: how long the other side has to answer, and then the arbiter to decide. undecided: what becomes of a
        result whose dispute nobody decides in time. notice_seconds: between a party's ending it and its end.
    """

    kind: ClassVar[str] = "contracts.propose"
    single: ClassVar[bool] = True
    circle: Id
    agreement: Commercial[Id] = WITHHELD
    proposal: Commercial[Id] = WITHHELD
    template: Commercial[Hash] = WITHHELD
    params: Commercial[dict[str, Any]] = WITHHELD
    roles: Commercial[dict[str, Word]] = WITHHELD
    others: Commercial[dict[str, Word]] = WITHHELD
    arbiter: Commercial[OptionalId] = WITHHELD
    scope: Commercial[Annotated[list[Text], Meta(max_length=500)]] = WITHHELD
    from_at: Commercial[Seconds] = WITHHELD
    until_at: Commercial[Seconds] = WITHHELD
    answer_by: Commercial[Seconds] = WITHHELD
    objection_seconds: Commercial[Seconds] = WITHHELD
    dispute_seconds: Commercial[Seconds] = WITHHELD
    notice_seconds: Commercial[Seconds] = WITHHELD
    undecided: Commercial[Undecided] = WITHHELD
    note: Commercial[LongText] = WITHHELD


class CounterPropose(Propose, frozen=True, kw_only=True):
    """Other terms in answer to a proposal, which it ends. `counters`: that proposal."""

    kind: ClassVar[str] = "contracts.counter"
    counters: Commercial[Id] = WITHHELD


class Amend(Propose, frozen=True, kw_only=True):
    """Other terms for an agreement in force, from `from_at` or from when all have signed, whichever is later."""

    kind: ClassVar[str] = "contracts.amend"


class SignProposal(Fact, frozen=True, kw_only=True):
    """A party signs a proposal. `digest`: hex SHA-256 of the terms as it knows them (`agreeing.digest_of`)."""

    kind: ClassVar[str] = "contracts.sign"
    single: ClassVar[bool] = True
    circle: Id
    proposal: Commercial[Id] = WITHHELD
    digest: Commercial[Hash] = WITHHELD


class EndProposal(Fact, frozen=True, kw_only=True):
    """Its proposer withdraws a proposal, or another role's party declines it."""

    kind: ClassVar[str] = "contracts.end_proposal"
    circle: Id
    proposal: Commercial[Id] = WITHHELD
    reason: Commercial[Text] = WITHHELD


class EndAgreement(Fact, frozen=True, kw_only=True):
    """A party ends an agreement at `at`, or after the agreed notice, whichever is later. What arose before, stands."""

    kind: ClassVar[str] = "contracts.end"
    single: ClassVar[bool] = True
    circle: Id
    agreement: Commercial[Id] = WITHHELD
    at: Commercial[Seconds] = WITHHELD
    reason: Commercial[Text] = WITHHELD


class Said(Part, frozen=True, kw_only=True):
    """One event as somebody attests it.

    id: its number; who attests the same event repeats id and content. event: its name in templates (`sale.reported`).
    agreement: the one that it concerns, "" for every one in the circle that reads it. occurred_at: UTC seconds.
    keys: what it is about: order, line, delivery, document, item, ... fields: name -> value, as written or base units.
    """

    id: Id
    event: EventName
    agreement: OptionalId = ""
    occurred_at: Seconds
    keys: dict[str, Word] = {}
    fields: dict[str, Any] = {}


class Attest(Fact, frozen=True, kw_only=True):
    """A party says that events happened. Who else must say so, the clauses that read them decide."""

    kind: ClassVar[str] = "contracts.attest"
    circle: Id
    events: Commercial[Annotated[list[Said], Meta(min_length=1, max_length=EVENTS_PER_FACT_MAX)]] = WITHHELD


class ConfirmResult(Fact, frozen=True, kw_only=True):
    """A party confirms clause results; what both sides have confirmed stands at once.

    publish: the results' digests that may stand on the record with this party's alias.
    """

    kind: ClassVar[str] = "contracts.confirm_result"
    single: ClassVar[bool] = True
    circle: Id
    publish: Annotated[list[Hash], Meta(max_length=200)] = []
    awards: Commercial[Annotated[list[Word], Meta(min_length=1, max_length=200)]] = WITHHELD


class Dispute(Fact, frozen=True, kw_only=True):
    """A party objects to a result within its objection period.

    liable: the party that it holds liable. evidence: positions of entries. wanted_minor: what the result should be.
    """

    kind: ClassVar[str] = "contracts.dispute"
    single: ClassVar[bool] = True
    circle: Id
    dispute: Commercial[Id] = WITHHELD
    award: Commercial[Word] = WITHHELD
    liable: Commercial[Word] = WITHHELD
    wanted_minor: Commercial[Amount] = WITHHELD
    reason: Commercial[LongText] = WITHHELD
    evidence: Commercial[Annotated[list[Position], Meta(max_length=200)]] = WITHHELD


class AnswerDispute(Fact, frozen=True, kw_only=True):
    """The other side answers: it accepts the amount wanted, or not, and says why."""

    kind: ClassVar[str] = "contracts.answer_dispute"
    single: ClassVar[bool] = True
    circle: Id
    dispute: Commercial[Id] = WITHHELD
    accept: Commercial[bool] = WITHHELD
    reason: Commercial[LongText] = WITHHELD
    evidence: Commercial[Annotated[list[Position], Meta(max_length=200)]] = WITHHELD


class WithdrawDispute(Fact, frozen=True, kw_only=True):
    """The disputer withdraws; the result stands as it was."""

    kind: ClassVar[str] = "contracts.withdraw_dispute"
    circle: Id
    dispute: Commercial[Id] = WITHHELD


class Decide(Fact, frozen=True, kw_only=True):
    """The arbiter decides: the result is `amount_minor`, 0 for void. `fields`: of the event dispute.decided, for
    clauses that read it. An arbiter outside the circle signs in its own name."""

    kind: ClassVar[str] = "contracts.decide"
    single: ClassVar[bool] = True
    circle: Id
    dispute: Commercial[Id] = WITHHELD
    amount_minor: Commercial[Minor] = WITHHELD
    fields: Commercial[dict[str, Any]] = WITHHELD
    reason: Commercial[LongText] = WITHHELD
