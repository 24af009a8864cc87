"""The life of an agreement: proposed, countered, signed, amended, ended; results that stand, fall and are disputed."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from hanse.rooms.contracts.agreeing import digest_of
from hanse.rooms.contracts.facts import (
    Amend,
    AnswerDispute,
    ConfirmResult,
    CounterPropose,
    Decide,
    Dispute,
    EndAgreement,
    EndProposal,
    RegisterTemplate,
    Said,
    SignProposal,
    WithdrawDispute,
)
from hanse.rooms.contracts.private_rows import AGREEMENTS, DISPUTES, PROPOSALS, VERSIONS, Award
from hanse.rooms.contracts.recompute import recompute, recompute_all
from hanse.rooms.contracts.rows import CLOCKS, PUBLISHED
from hanse.rooms.contracts.testing import DAY, LATE, Trade, library, sha_of
from hanse.rooms.orders.delivery_facts import ReceiveLine
from hanse.rooms.parties.facts import RetireKey
from hanse.rooms.testing import adding, kid

AB = Trade.AB


@pytest.fixture
def trade() -> Trade:
    return Trade()


@pytest.fixture
def late(trade: Trade) -> Trade:
    """An agreement in force, and a delivery 17 days late: three part-weeks of 2.5% of 100.00."""
    trade.agree()
    trade.deliver_late(17)
    return trade


def test_late_goods_post_a_pending_award_that_stands_when_nobody_objects(late: Trade) -> None:
    award = late.award()
    assert (award.amount_minor, award.sender, award.receiver, award.state) == (750, "bob", "ann", "pending")
    late.tick(13 * DAY)
    assert late.award().state == "pending"
    late.tick(2 * DAY)
    assert (late.award().state, late.award().amount_minor) == ("standing", 750)
    assert late.both_sides_agree()


def test_a_result_opens_the_entries_that_prove_it_and_recomputes_to_the_byte(late: Trade) -> None:
    award = late.award()
    kinds = {position: type(s.fact).kind for b in late.blocks for position, s in b.recorded}
    assert [kinds[entry] for entry in award.evidence] == ["orders.place", "orders.confirm", "orders.receive"]
    found = recompute(late.view("ann"), AB, award.award)
    assert found is not None and found.equal and found.amount_minor == 750
    assert [one.equal for one in recompute_all(late.view("bob"))] == [True]


def test_a_forged_amount_does_not_recompute(late: Trade) -> None:
    late.state.conn.execute("UPDATE contracts_award SET posted_minor = 751")
    found = recompute(late.view("ann"), AB, "A1:1")
    assert found is not None and not found.equal and "other amounts" in found.why


def test_goods_in_time_give_no_award(trade: Trade) -> None:
    trade.agree()
    trade.deliver_late(0)
    assert trade.awards() == [] and [row.state for row in trade.results("late")] == ["done"]


def test_only_what_was_received_good_is_late(trade: Trade) -> None:
    trade.agree()
    trade.deliver_late(17, "po1", 10, ReceiveLine(line=1, received=6, damaged=1))
    assert trade.award().amount_minor == 450


def test_an_order_of_the_other_direction_is_not_bound(trade: Trade) -> None:
    trade.agree(roles={"supplier": "ann", "buyer": "bob"})
    trade.deliver_late(17)
    assert trade.awards() == []


def test_goods_out_of_scope_are_not_bound(trade: Trade) -> None:
    trade.agree(scope=["item:item-6306", "brand:NSK"])
    trade.deliver_late(17)
    assert trade.awards() == []


def test_an_order_placed_before_the_agreement_is_not_bound(trade: Trade) -> None:
    trade.must("ann", trade.order_fact("po1", trade.line(each=10)))
    trade.agree()
    trade.must("bob", trade.confirm_fact("po1", (1, 10)))
    trade.now += 30 * DAY
    trade.must("bob", trade.ship_fact("po1", "s1", (1, 10), stock="bob-6205"))
    trade.must("ann", trade.receive_fact("s1"))
    assert trade.awards() == []


def test_an_obligation_keeps_the_version_in_force_when_it_arose(trade: Trade) -> None:
    sha = trade.agree()
    trade.must("ann", trade.order_fact("po1", trade.line(each=10)))
    trade.must("bob", trade.confirm_fact("po1", (1, 10)))
    trade.now += DAY
    trade.must("bob", trade.proposal(sha, {**LATE, "rate": "5%"}, kind=Amend, proposal="P2"))
    trade.sign_proposal("ann", "P2")
    trade.must("ann", trade.order_fact("po2", trade.line(each=10)))
    trade.must("bob", trade.confirm_fact("po2", (1, 10)))
    trade.now += 20 * DAY
    for order in ("po1", "po2"):
        trade.must("bob", trade.ship_fact(order, f"s-{order}", (1, 10), stock="bob-6205"))
        trade.must("ann", trade.receive_fact(f"s-{order}"))
    assert [(a.version, a.amount_minor) for a in trade.awards()] == [(1, 750), (2, 1500)]
    assert trade.both_sides_agree()


def test_a_counter_proposal_ends_the_first_and_the_difference_reads(trade: Trade) -> None:
    sha = trade.register()
    trade.must("bob", trade.proposal(sha, LATE))
    trade.must("ann", trade.proposal(sha, {**LATE, "rate": "3%"}, kind=CounterPropose, proposal="P2", counters="P1"))
    assert trade.refused("ann", SignProposal(circle=AB, proposal="P1", digest=trade.digest("P1"))) == (
        "contracts.proposal_closed"
    )
    trade.sign_proposal("bob", "P2")
    found = trade.state.get(VERSIONS, (AB, "A1", 1))
    assert found is not None and '"rate":30000' in found.content.params


def test_a_proposal_lapses_when_it_is_not_signed_in_time(trade: Trade) -> None:
    sha = trade.register()
    trade.must("bob", trade.proposal(sha, LATE, answer_by=trade.now + 3 * DAY))
    trade.tick(4 * DAY)
    row = trade.state.get(PROPOSALS, (AB, "P1"))
    assert row is not None and row.state == "lapsed"
    sign = SignProposal(circle=AB, proposal="P1", digest=row.digest)
    assert trade.refused("ann", sign) == "contracts.proposal_closed"


def test_a_deadline_counts_also_where_no_beat_came_before_the_signature(trade: Trade) -> None:
    sha = trade.register()
    trade.must("bob", trade.proposal(sha, LATE, answer_by=trade.now + 60))
    trade.now += 61
    outcome = trade.do("ann", SignProposal(circle=AB, proposal="P1", digest=trade.digest()))
    assert outcome.private[AB].code == "contracts.proposal_closed"


def test_an_ended_agreement_binds_what_was_placed_before_its_end(late: Trade) -> None:
    late.must("ann", late.order_fact("po2", late.line(each=10)))
    late.must("bob", late.confirm_fact("po2", (1, 10)))
    late.must("bob", EndAgreement(circle=AB, agreement="A1", at=late.now + DAY))
    late.now += 2 * DAY
    late.must("ann", late.order_fact("po3", late.line(each=10)))
    late.must("bob", late.confirm_fact("po3", (1, 10)))
    late.now += 20 * DAY
    for order in ("po2", "po3"):
        late.must("bob", late.ship_fact(order, f"s-{order}", (1, 10), stock="bob-6205"))
        late.must("ann", late.receive_fact(f"s-{order}"))
    assert [a.key for a in late.awards()] == ['["s-po1","1"]', '["s-po2","1"]']


def test_notice_delays_an_end(trade: Trade) -> None:
    trade.agree(notice_seconds=30 * DAY)
    trade.must("ann", EndAgreement(circle=AB, agreement="A1"))
    row = trade.state.get(AGREEMENTS, (AB, "A1"))
    assert row is not None and row.until_at == trade.now + 30 * DAY and row.ended_by == "ann"


def test_what_both_sides_confirm_stands_at_once_and_may_be_published(late: Trade) -> None:
    sha = late.award().sha256
    late.must("bob", ConfirmResult(circle=AB, awards=["A1:1"], publish=[sha]))
    assert late.award().state == "pending"
    late.must("ann", ConfirmResult(circle=AB, awards=["A1:1"], publish=[sha]))
    assert late.award().state == "standing"
    row = late.state.get(PUBLISHED, (sha,))
    assert row is not None and row.aliases == ("ann+bob", "bob+ann")
    late.tick(20 * DAY)
    assert late.award().settled_at < late.now - 19 * DAY


def dispute(trade: Trade, wanted: int = 0, **rest: object) -> Dispute:
    return Dispute(
        **{
            "circle": AB,
            "dispute": "D1",
            "award": "A1:1",
            "liable": "ann",
            "wanted_minor": wanted,
            "reason": "The dock was closed.",
            "evidence": [trade.award().evidence[0]],
            **rest,
        }
    )


def state_of(trade: Trade) -> tuple[str, Award]:
    row = trade.state.get(DISPUTES, (AB, "D1"))
    assert row is not None
    return row.state, trade.award()


def test_a_dispute_that_nobody_answers_gives_the_disputer_right(late: Trade) -> None:
    late.must("bob", dispute(late, 250))
    assert late.award().state == "disputed"
    late.tick(8 * DAY)
    state, award = state_of(late)
    assert (state, award.state, award.amount_minor, award.posted_minor) == ("unanswered", "standing", 250, 750)
    assert late.both_sides_agree()


def test_an_accepted_dispute_voids_the_award(late: Trade) -> None:
    late.must("bob", dispute(late))
    late.must("ann", AnswerDispute(circle=AB, dispute="D1", accept=True))
    state, award = state_of(late)
    assert (state, award.state, award.amount_minor) == ("accepted", "void", 0)


def test_the_arbiter_decides_from_outside_the_circle(late: Trade) -> None:
    late.must("bob", dispute(late))
    late.must("ann", AnswerDispute(circle=AB, dispute="D1", accept=False, reason="It was open."))
    late.must("cay", Decide(circle=AB, dispute="D1", amount_minor=400, reason="Half a day counts."))
    state, award = state_of(late)
    assert (state, award.state, award.amount_minor) == ("decided", "standing", 400)
    assert late.both_sides_agree()


@pytest.mark.parametrize(("undecided", "amount", "state"), [("stands", 750, "standing"), ("void", 0, "void")])
def test_what_nobody_decides_in_time_ends_as_agreed(undecided: str, amount: int, state: str) -> None:
    trade = Trade()
    trade.agree(undecided=undecided)
    trade.deliver_late(17)
    trade.must("bob", dispute(trade))
    trade.must("ann", AnswerDispute(circle=AB, dispute="D1", accept=False, reason="No."))
    trade.tick(8 * DAY)
    assert (state_of(trade)[0], trade.award().amount_minor, trade.award().state) == ("undecided", amount, state)


def test_a_withdrawn_dispute_leaves_the_award_as_it_was(late: Trade) -> None:
    late.must("bob", dispute(late))
    late.must("bob", WithdrawDispute(circle=AB, dispute="D1"))
    assert late.award().state == "pending"
    late.tick(15 * DAY)
    assert late.award().state == "standing"


def test_a_dispute_withdrawn_after_the_objection_period_lets_the_award_stand_at_once(trade: Trade) -> None:
    trade.agree(objection_seconds=2 * DAY)
    trade.deliver_late(17)
    trade.must("bob", dispute(trade))
    trade.tick(3 * DAY)
    assert trade.award().state == "disputed"
    trade.must("bob", WithdrawDispute(circle=AB, dispute="D1"))
    assert trade.award().state == "standing"


def test_a_party_may_rotate_its_keys_in_mid_dispute(late: Trade) -> None:
    late.must("bob", dispute(late))
    alias, fresh = "ann+bob", kid("fresh")
    old = late.state.conn.execute("SELECT kid FROM parties_key WHERE owner = ?", (alias,)).fetchone()[0]
    late.block(late.sign(alias, adding(alias, "fresh"), kid=old))
    late.block(late.sign(alias, RetireKey(kid=old, compromised=True), kid=fresh))
    answer = AnswerDispute(circle=AB, dispute="D1", accept=True)
    assert late.do("ann", answer, kid=old).code == "parties.key_ended"
    outcome = late.do("ann", answer, kid=fresh)
    assert outcome.code == "ok" and not outcome.private and late.award().state == "void"


def test_an_undelivered_line_may_be_terminated_without_anybodys_message(trade: Trade) -> None:
    trade.agree()
    trade.must("ann", trade.order_fact("po1", trade.line(each=10)))
    trade.must("bob", trade.confirm_fact("po1", (1, 10)))
    trade.tick(33 * DAY)
    assert [row.state for row in trade.results("undelivered")] == ["armed"]
    trade.tick(3 * DAY)
    [row] = trade.results("undelivered")
    assert row.state == "done" and row.actions == (("grant", "True", "terminate", "buyer"),)


def test_force_majeure_excuses_only_where_the_buyer_accepts_it(trade: Trade) -> None:
    trade.agree()
    storm = Said(id="fm1", event="force_majeure.accepted", occurred_at=trade.now, keys={"order": "po1"})
    trade.attest("bob", storm)
    trade.deliver_late(17)
    assert trade.award().amount_minor == 750
    other = Trade()
    other.agree()
    other.attest("ann", storm)
    other.deliver_late(17)
    assert other.awards() == []


def test_a_stranger_sees_a_clock_and_nothing_else_of_an_agreement(late: Trade) -> None:
    late.must("bob", dispute(late))
    for reader in ("eve", "cay", ""):
        view = late.view(reader)
        for table in late.book.tables:
            if table.name.startswith("contracts_") and table.circle:
                assert view.rows(table) == [], (reader, table.name)
        assert [row.circle for row in view.rows(CLOCKS)] == [AB]
    for block in late.blocks:
        for _, signed in block.recorded:
            if signed.fact.kind.startswith("contracts.") and not isinstance(signed.fact, RegisterTemplate):
                body = json.loads(bytes(signed.envelope.body))
                assert set(body) <= {"circle", "_sd"}, body


REFUSED = [
    ("missing_terms", {"roles": {}}),
    ("unknown_template", {"template": "0" * 64}),
    ("bad_roles", {"roles": {"supplier": "bob"}}),
    ("bad_roles", {"roles": {"supplier": "bob", "buyer": "bob"}}),
    ("not_in_circle", {"roles": {"supplier": "bob", "buyer": "eve"}}),
    ("bad_arbiter", {"arbiter": "ann"}),
    ("bad_arbiter", {"arbiter": "nobody"}),
    ("bad_scope", {"scope": ["bearings"]}),
    ("bad_deadline", {"answer_by": 1}),
    ("bad_deadline", {"until_at": 5, "from_at": 0}),
    ("bad_deadline", {"from_at": 5}),
    ("bad_deadline", {"objection_seconds": 400 * DAY}),
]


@pytest.mark.parametrize(("code", "rest"), REFUSED)
def test_a_proposal_is_refused_in_order(trade: Trade, code: str, rest: dict[str, object]) -> None:
    sha = trade.register()
    if code == "bad_deadline" and rest.get("until_at"):
        rest = {"from_at": trade.now + 9, "until_at": trade.now + 8}
    fact = replace(trade.proposal(sha, LATE), **rest)
    assert trade.refused("bob", fact) == f"contracts.{code}"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({**LATE, "rate": "2.55555%"}, "terms.value_text"),
        ({**LATE, "rate": "101%"}, "terms.value_range"),
        ({**LATE, "period": "0d"}, "terms.value_range"),
        ({**LATE, "rte": "1%"}, "terms.unknown_param"),
        ({k: v for k, v in LATE.items() if k != "cap"}, "terms.value_missing"),
        ({**LATE, "rate": 0.5}, "terms.value_type"),
        ({**LATE, "cap": 10**30}, "terms.value_range"),
    ],
)
def test_parameters_that_the_template_does_not_take_are_refused(trade: Trade, params: object, code: str) -> None:
    sha = trade.register()
    assert trade.refused("bob", trade.proposal(sha, params)) == code  # type: ignore[arg-type]


def test_signatures_are_refused_in_order(trade: Trade) -> None:
    sha = trade.register()
    trade.must("bob", trade.proposal(sha, LATE))
    good = trade.digest()
    assert trade.refused("eve", SignProposal(circle=AB, proposal="P1", digest=good)) == "parties.not_in_circle"
    assert trade.refused("ann", SignProposal(circle=AB, proposal="P9", digest=good)) == "contracts.unknown_proposal"
    assert trade.refused("bob", SignProposal(circle=AB, proposal="P1", digest=good)) == "contracts.signed_already"
    assert trade.refused("ann", SignProposal(circle=AB, proposal="P1", digest="0" * 64)) == "contracts.digest_differs"
    trade.must("ann", EndProposal(circle=AB, proposal="P1", reason="Too dear."))
    assert trade.refused("ann", SignProposal(circle=AB, proposal="P1", digest=good)) == "contracts.proposal_closed"
    row = trade.state.get(PROPOSALS, (AB, "P1"))
    assert row is not None and digest_of(row.content) == good


def test_templates_are_refused_in_order(trade: Trade) -> None:
    text = library("otif")
    sha = sha_of(text)
    assert trade.refused("cay", RegisterTemplate(sha256="0" * 64, text=text)) == "contracts.hash_differs"
    assert trade.refused("cay", RegisterTemplate(sha256=sha, text="a: &x [*x]")) == "terms.yaml_feature"
    wrong = text.replace('penalty: "262.50"', 'penalty: "262.51"')
    assert trade.refused("cay", RegisterTemplate(sha256=sha, text=wrong)) == "terms.example"
    trade.must("cay", RegisterTemplate(sha256=sha, text=text))
    assert trade.refused("cay", RegisterTemplate(sha256=sha, text=text)) == "contracts.template_stands"


def test_disputes_are_refused_in_order(late: Trade) -> None:
    assert late.refused("bob", dispute(late, reason="")) == "contracts.missing_terms"
    assert late.refused("bob", dispute(late, award="A1:9")) == "contracts.unknown_award"
    assert late.refused("bob", dispute(late, wanted=751)) == "contracts.bad_amount"
    assert late.refused("bob", dispute(late, liable="cay")) == "contracts.not_liable"
    assert late.refused("bob", dispute(late, evidence=[10**9])) == "contracts.bad_evidence"
    late.must("bob", dispute(late))
    assert late.refused("bob", dispute(late)) == "contracts.dispute_taken"
    assert late.refused("bob", dispute(late, dispute="D2")) == "contracts.not_pending"
    answer = AnswerDispute(circle=AB, dispute="D1", accept=False, reason="No.")
    assert late.refused("bob", answer) == "contracts.not_your_dispute"
    assert late.refused("ann", replace(answer, dispute="D9")) == "contracts.unknown_dispute"
    decide = Decide(circle=AB, dispute="D1", amount_minor=1, reason="So.")
    assert late.refused("eve", decide) == "contracts.not_arbiter"
    assert late.refused("ann", decide) == "contracts.not_arbiter"
    assert late.refused("cay", replace(decide, amount_minor=751)) == "contracts.bad_amount"
    late.must("cay", decide)
    assert late.refused("cay", decide) == "contracts.dispute_closed"
    assert late.refused("bob", WithdrawDispute(circle=AB, dispute="D1")) == "contracts.dispute_closed"


def test_an_objection_after_its_period_comes_too_late(late: Trade) -> None:
    late.now += 15 * DAY
    assert late.do("bob", dispute(late)).private[AB].code == "contracts.not_pending"


def test_amendments_and_ends_are_refused_in_order(trade: Trade) -> None:
    sha = trade.agree()
    assert trade.refused("bob", trade.proposal(sha, LATE, proposal="P2")) == "contracts.agreement_taken"
    amend = trade.proposal(sha, LATE, kind=Amend, proposal="P2", agreement="A9")
    assert trade.refused("bob", amend) == "contracts.unknown_agreement"
    trade.must("bob", EndAgreement(circle=AB, agreement="A1"))
    assert trade.refused("bob", replace(amend, agreement="A1")) == "contracts.ended"
    assert trade.refused("ann", EndAgreement(circle=AB, agreement="A1")) == "contracts.ended"
