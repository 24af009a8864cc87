"""Steps of a history: what takes several facts one after the other, told in one go, and now and then not to its end."""

from __future__ import annotations

from typing import Any

import numpy as np
from fair import DAY, FIRMS, ITEMS, PAIRS, POOL, Fair, Hand
from fair_contracts import late_under, terms
from fair_deals import attest
from fair_goods import step

from hanse.kernel.facts import Fact
from hanse.rooms.contracts.facts import (
    Amend,
    AnswerDispute,
    CounterPropose,
    Decide,
    Dispute,
    EndAgreement,
    EndProposal,
    Propose,
    RegisterTemplate,
    SignProposal,
    WithdrawDispute,
)
from hanse.rooms.contracts.private_rows import AGREEMENTS, AWARDS, PROPOSALS
from hanse.rooms.contracts.testing import library, sha_of
from hanse.rooms.group import queries as group_queries
from hanse.rooms.group.facts import Charter, Commit, Join, OpenRound, PriceTier, RateTier, ReportPurchases, SetRebate
from hanse.rooms.inventory.offer_facts import OFFERS
from hanse.rooms.parties.facts import EnterCircle, FoundNetwork, InviteParty
from hanse.rooms.parties.proofs import invitation_of
from hanse.rooms.plans import facts as plans
from hanse.rooms.plans.checking import Arrays, question
from hanse.rooms.plans.proofs import prices_of, prove
from hanse.rooms.plans.rows import PLANS
from hanse.rooms.plans.rules import gap_of, lines_hash, plan_hash
from hanse.rooms.testing import consent, home, joining, public_key

MANAGED = [(party, next(f"{a}--{b}" for a, b in PAIRS if {a, b} == {"cay", party})) for party in ("ann", "bob", "eve")]
"""Members of the group, and the relationship of each with its manager."""
EACH_MAX = 2**40
"""Of one source: a question with more is no problem that anybody can solve."""


# -- parties --


@step()
def newcomer(fair: Fair, hand: Hand) -> None:
    """A firm is invited and comes, with its invitation's secret or another, or founds anew what stands; then it opens a
    circle with who asked it, a group at times."""
    party, asker = fair.name("firm"), hand.of(FIRMS)
    secrets = [word.ljust(16, ".") for word in (f"secret of {party}", "another secret")]
    fair.say(asker, InviteParty(invitation=invitation_of(secrets[0]), expires_at=fair.ahead(hand)))
    about: dict[str, Any] = {"party": party, "name": "New", "party_kind": "other", "country": "DE", "city": "Kiel",
                             "public_key": public_key(party)}  # fmt: skip
    fair.say(party, joining(hand.of(secrets) if hand.wild else secrets[0], **about))
    if hand.n(3) == 0:
        fair.say(party, FoundNetwork(network="Another", **about))
    if hand.wild:
        return
    circle, group = fair.name("circle"), bool(hand.n(3))
    both = [party, asker]
    _open(fair, home(party), "home", [party])
    _open(fair, circle, "group" if group else "relationship", both)
    for one in both[: 1 + hand.n(2)]:
        fair.say(one, EnterCircle(circle=circle))
    name = fair.name("group")
    fair.say(hand.of(both), Charter(circle=circle, group=name, name=fair.word(circle, "Name"), currency="EUR"))
    fair.say(asker, Join(circle=circle, group=name))


def _open(fair: Fair, circle: str, purpose: str, parties: list[str]) -> None:
    aliases = [f"h-{party}" if purpose == "home" else f"{party}+{circle}" for party in parties]
    for party, alias in zip(parties, aliases, strict=True):
        fair.endorse(party, alias, circle)
        fair.aliases[party, circle] = alias
    agreed = [
        consent(party, alias, circle, purpose, parties[0], fair.keys.get(party, party))
        for party, alias in zip(parties, aliases, strict=True)
    ]
    fair.say(parties[0], fair.opening(circle, purpose, parties, aliases, consents=agreed))


# -- contracts --


@step()
def register(fair: Fair, hand: Hand) -> None:
    """A template, anew or a second time, under its hash or under another's."""
    text = library(hand.of(("otif", "unit-rebate", "late-delivery")))
    fair.say(hand.of(FIRMS), RegisterTemplate(sha256=fair.sha if hand.wild else sha_of(text), text=text))


@step(3)
def haggle(fair: Fair, hand: Hand) -> None:
    """A proposal is answered by other terms, and those by others; the last is signed, withdrawn, declined or left."""
    row = hand.like(fair.rows(PROPOSALS), lambda p: p.state == "open" and not p.amends)
    if row is None:
        circle, supplier, buyer = fair.rel(hand)
        first = Propose(**terms(fair, hand, circle, supplier, buyer))
        fair.say(supplier, first)
        row = next(iter(fair.rows(PROPOSALS, "proposal = ?", first.proposal)), None)
    for _ in range(1 + hand.n(2)):
        if row is None:
            return
        other = next(party for party in row.circle.split("--") if party != row.proposer)
        roles = dict(row.content.roles)
        asked = terms(fair, hand, row.circle, roles["supplier"], roles["buyer"])
        kept = {} if hand.wild and hand.n(3) == 0 else {"agreement": row.agreement}
        counter = CounterPropose(**{**asked, **kept}, counters=row.proposal)
        fair.say(hand.who(other), counter)
        row = next(iter(fair.rows(PROPOSALS, "proposal = ?", counter.proposal)), row)
    other = next(party for party in row.circle.split("--") if party != row.proposer)
    facts: list[Any] = [
        SignProposal(circle=row.circle, proposal=row.proposal, digest=row.digest),
        EndProposal(circle=row.circle, proposal=row.proposal, reason=fair.word(row.circle, "No")),
    ]
    how = hand.n(5)
    if how < 4:
        fair.say(hand.who(row.proposer if how == 3 else other), facts[how > 1])


@step()
def quarrel(fair: Fair, hand: Hand) -> None:
    """Something late under an agreement with an arbiter: its result is disputed, the dispute answered and decided, or
    withdrawn; at times the agreement is ended over it."""
    pair = hand.of(PAIRS)
    circle, (supplier, buyer) = "--".join(pair), pair
    arbiter = hand.of([firm for firm in FIRMS if firm not in pair])
    asked = {**terms(fair, hand, circle, supplier, buyer), "arbiter": arbiter, "objection_seconds": 9 * DAY}
    fair.say(supplier, Propose(**asked))
    for row in fair.rows(PROPOSALS, "proposal = ?", asked["proposal"]):
        fair.say(buyer, SignProposal(circle=circle, proposal=row.proposal, digest=row.digest))
    for standing in fair.rows(AGREEMENTS, "agreement = ?", asked["agreement"]):
        late_under(fair, hand, standing)
    award = next(iter(fair.rows(AWARDS, "agreement = ? AND state = 'pending'", asked["agreement"])), None)
    if award is None:
        return
    name = fair.name("disp")
    dispute = Dispute(circle=circle, dispute=name, award=award.award, liable=award.sender, wanted_minor=hand.n(99),
                      evidence=[], reason=fair.word(circle, "Because"))  # fmt: skip
    answer = AnswerDispute(circle=circle, dispute=name, accept=hand.n(4) == 0, reason="no", evidence=[])
    decision = Decide(circle=circle, dispute=name, amount_minor=hand.n(9) * 10_000, reason="so")
    story: list[tuple[str, Fact]] = [(award.sender, dispute), (award.receiver, answer), (arbiter, decision)]
    if hand.n(3) == 0:
        story[2:] = [(award.sender, WithdrawDispute(circle=circle, dispute=name))]
    for party, fact in story:
        fair.say(hand.who(party), fact)
    other = Amend(**{**asked, "proposal": fair.name("prop"), "arbiter": ""})
    over = EndAgreement(circle=circle, agreement=award.agreement, reason="late")
    for fact in (other, over, other)[hand.n(2) : 2 + hand.wild]:
        fair.say(hand.who(buyer), fact)


# -- group --


@step()
def round_at_once(fair: Fair, hand: Hand) -> None:
    """A purchasing round from its opening to its close, at times a day too early."""
    name, members = fair.name("round"), [MANAGED[0], *MANAGED[1 + hand.n(2) :]]
    fair.say("cay", OpenRound(circle=POOL, group="g", round=name, commit_by=fair.now + DAY, item=hand.of(ITEMS),
                              supplier="Maker", currency="EUR", note=fair.word(POOL, "Round"),
                              tiers=[PriceTier(from_each=3, unit_price_minor=900)]))  # fmt: skip
    for party, circle in members:
        fair.say(party, Commit(circle=circle, round=name, each=hand.each(9), price_max_minor=0))
    if not hand.wild:
        fair.tick(DAY + 1)
    for told in (group_queries.telling, group_queries.closing):
        fact = told(fair.view("cay"), name)
        if fact is not None:
            fair.say(hand.who("cay"), fact)


@step()
def rebate_at_once(fair: Fair, hand: Hand) -> None:
    """A rebate from its statement to each member's share, at times told by another or shared out twice."""
    name, cay = fair.name("reb"), "cay"
    fair.say(cay, SetRebate(circle=POOL, group="g", rebate=name, supplier="Maker", currency="EUR", from_at=0,
                            until_at=2**40, scheme=hand.of(("retroactive", "incremental")),
                            tiers=[RateTier(from_minor=0, ppm=10_000)]))  # fmt: skip
    for party, circle in MANAGED[hand.n(2) :]:
        fair.say(party, ReportPurchases(circle=circle, rebate=name, currency="EUR", signed_minor=1_000 + hand.n(9),
                                        imported_minor=0, documents=1))  # fmt: skip
    told = group_queries.telling_rebate(fair.view(cay), name)
    if told is not None:
        fair.say(hand.who(cay), told)
    for _ in range(1 + (hand.n(3) == 0)):
        for fact in group_queries.statements_to_sign(fair.view(cay), name):
            fair.say(hand.who(cay), fact)


# -- plans --


def said_in_parts(fair: Fair, hand: Hand, party: str, fact: Any) -> None:
    """A further part; in a wild step at times it never comes, or comes twice, under another number, from another."""
    how = hand.n(5) if hand.wild else 4
    if how == 0:
        fair.say(party, type(fact)(**{**_fields(fact), "part": 3}))
    elif how != 1:
        fair.say(hand.who(party), fact)
    if how == 2:
        fair.say(party, fact)


def _fields(fact: Any) -> dict[str, Any]:
    return {name: getattr(fact, name) for name in fact.__struct_fields__}


@step(2)
def plan_in_parts(fair: Fair, hand: Hand) -> None:
    """A window asked in two parts and a plan told in two; readers say what they make of it, or it is withdrawn."""
    party, reader, window, name = hand.of(FIRMS), hand.of(FIRMS), fair.name("win"), fair.name("plan")
    rows = [o for o in fair.rows(OFFERS, "circle = ? AND each <= ?", POOL, EACH_MAX)
            if hand.wild or (not o.withdrawn and o.expires_at > fair.now)][:40]  # fmt: skip
    halves = [[o.offer for o in rows[0::2]], [o.offer for o in rows[1::2]]]
    lines = [
        plans.PlanLine(line=at, order=at, reference="want", item=hand.of(ITEMS), each=9, penalty_minor=9_000,
                       options=[plans.Option(offer, offer, 100, 9) for offer in offers])
        for at, offers in enumerate(halves, 1)
    ]  # fmt: skip
    problem = lines_hash(lines_hash("", lines[:1]), lines[1:])
    here: dict[str, Any] = {"circle": POOL, "window": window}
    fair.say(party, plans.OpenWindow(**here, ends_at=fair.ahead(hand), offers=halves[0], problem=problem, parts=2,
                                     lines=lines[:1], own_stock=[], shipments_max=3, currency="EUR",
                                     about=fair.word(POOL, "Plan")))  # fmt: skip
    said_in_parts(fair, hand, party, plans.AddLines(**here, part=2, offers=halves[1], lines=lines[1:], own_stock=[]))
    taken = [
        [(at, o.offer, hand.each(min(4, o.open_each))) for o in rows[at - 1 :: 2][:2] if o.open_each] for at in (1, 2)
    ]
    if any(not 1 <= each <= 2**40 for part in taken for _, _, each in part):
        return
    claims: dict[str, Any] = {
        "certificate": "0" * 64,
        "bound_scaled": 999,
        "cost_minor": 1_000,
        "gap_ppm": gap_of(1_000, 999),
    }
    asked = question(fair.view(party), POOL, window)
    if asked is not None and hand.n(4):
        claims = proven(asked, [*taken[0], *taken[1]])
    whole = plan_hash(plan_hash("", taken[0], []), taken[1], [])
    rest: dict[str, Any] = {"prices": [], "own_assignments": [], "own_prices": []}
    fair.say(party, plans.Propose(**here, plan=name, plan_hash=whole, scale=1, parts=2, assignments=taken[0], **rest,
                                  **claims))  # fmt: skip
    part = plans.AddAssignments(circle=POOL, plan=name, part=2, assignments=taken[1], **rest)
    said_in_parts(fair, hand, party, part)
    for row in fair.rows(PLANS, "plan = ? AND state = 'standing'", name):
        if hand.wild:  # another bound than the plan's own
            fair.say(reader, plans.Attest(circle=POOL, plan=name, good=True, bound_scaled=row.bound_scaled + 1))
        attest(fair, reader, row)
        if hand.n(4) == 0:
            fair.say(hand.who(party), plans.WithdrawPlan(circle=POOL, plan=name))


def proven(asked: Arrays, taken: list[tuple[int, str, int]]) -> dict[str, Any]:
    """What a plan may claim of itself where it says no prices."""
    units = np.zeros(asked.problem.cand_place.size, np.int64)
    at = {line.line: k for k, line in enumerate(asked.lines)}
    for line, offer, each in taken:
        units[asked.cand[at[line], offer]] = each
    proof, _ = prove(asked, units, prices_of(asked, 1, [0] * len(asked.sources)), None)
    gap = gap_of(proof.cost_minor, proof.lower_bound_minor)
    return {"certificate": proof.digest, "bound_scaled": proof.bound_scaled, "cost_minor": proof.cost_minor,
            "gap_ppm": gap}  # fmt: skip
