"""bob's dealings in the small town: agreements with results, bills and payments, a group that buys together."""

from __future__ import annotations

from hanse.node import joining
from hanse.rooms.accounts import drafting
from hanse.rooms.accounts.deal_facts import AssignDebt, HoldEscrow, NettingOpen, NettingSubmit, Owed
from hanse.rooms.accounts.facts import Allocation, BookItems, BookLine, Pay, SetTerms
from hanse.rooms.contracts.facts import Dispute
from hanse.rooms.contracts.testing_pages import AgreedTown
from hanse.rooms.group.facts import Charter, Commit, Join, OpenRound, PriceTier, RateTier, SetRebate
from hanse.rooms.group.queries import report, statements_to_sign, telling, telling_rebate
from hanse.rooms.inventory.offer_facts import AcceptTransfer, ProposeTransfer
from hanse.site.testing import DAY


def deals(town: AgreedTown) -> set[str]:
    """What firms that trade for a while have with each other; pages with much on them."""
    return {*_agreements(town), *_bills(town), *_settling(town), *_buying_together(town)}


def _agreements(town: AgreedTown) -> set[str]:
    """One agreement in force, with a result that stands to be answered and a disputed one; one that is proposed."""
    sha = town.agree()
    first, second = town.deliver("late-1"), town.deliver("late-2", days_late=31, each=24, price=1250)
    town.propose(sha, agreement="A2", proposal="P2", by="ann", arbiter="eve")
    town.propose(town.register("volume-rebate"), agreement="A3", proposal="P3", params=REBATE)
    evidence = [entry for award in town.awards() if award.award == second for entry in award.evidence]
    town.do("bob", Dispute(
        circle=town.ab, dispute="D1", award=second, liable="bob", wanted_minor=250, evidence=evidence,
        reason="The lock was closed for three weeks; we said so before the goods were promised.",
    ))  # fmt: skip
    at = f"/contracts/{{}}/{town.ab}/{{}}"
    there = [("a", "A1"), ("p", "P2"), ("w", first), ("d", "D1"), ("print", "A1")]
    return {*(at.format(kind, name) for kind, name in there), "/contracts/scorecards/sell/ann"}


REBATE = {
    "currency": "EUR", "rebate_period": "quarter", "scheme": "retroactive",
    "tiers": [["0.00", "1%"], ["5000.00", "3%"]],
}  # fmt: skip


def _bills(town: AgreedTown) -> set[str]:
    """bob's invoices to ann: one being paid, one open; what is still to be billed; his credit to her."""
    town.do("bob", SetTerms(
        circle=town.home("bob"), partner="ann", currency="EUR", payment_days=30, discount_ppm=20_000, discount_days=10,
        tax_ppm=190_000, credit_limit_minor=50_000, overdue_days_max=20, hold=False,
    ))  # fmt: skip
    for number, order in (("R-1", "late-1"), ("R-2", "late-2")):
        fact = drafting.invoice(town.node.view("bob"), town.ab, number, [f"s-{order}"])
        assert fact is not None
        town.do("bob", fact)
    town.do(
        "ann",
        Pay(circle=town.ab, payment="pay-1", answer_by=town.now() + 5 * DAY, payer="ann", payee="bob", refund=False,
            currency="EUR", amount_minor=5_000, allocations=[Allocation(item="R-1", amount_minor=5_000)], paid_at=0,
            method="bank", reference="R-1, first part"),
        HoldEscrow(circle=town.ab, escrow="esc-1", order="placed-1", answer_by=town.now() + DAY,
                   settle_by=town.now() + 60 * DAY, holder="bob", currency="EUR", amount_minor=9_000),
    )  # fmt: skip
    award = town.awards()[0].award
    return {f"/accounts/d/{town.ab}/R-1", f"/accounts/payment/{town.ab}/pay-1", f"/accounts/accrual/{town.ab}/{award}"}


def _settling(town: AgreedTown) -> set[str]:
    """A debt to be handed over, and a netting cycle that bob has begun."""
    bc = joining.relationship(town.node, "bob", "cay")
    town.do(
        "cay",
        AssignDebt(circle=bc, assignment="as-1", answer_by=town.now() + 5 * DAY, step="arrives", supplier="bob",
                   customer="cay", third="ann", item="", currency="EUR", amount_minor=11_900,
                   due_at=town.now() + 40 * DAY, reference="R-9"),
    )  # fmt: skip
    town.do("bob", NettingOpen(
        circle=town.pool, cycle="cycle-1", submit_by=town.now() + 7 * DAY, sign_seconds=5 * DAY, currency="EUR",
    ))  # fmt: skip
    said = {"ann": [("bob", 11_900, 0), ("cay", 0, 6_000)], "cay": [("bob", 0, 8_000), ("ann", 6_000, 0)]}
    for party, owed in said.items():
        lines = [Owed(partner=other, to_pay_minor=pay, to_get_minor=get) for other, pay, get in owed]
        town.do(party, NettingSubmit(circle=town.pool, cycle="cycle-1", owed=lines))
    return {"/accounts/netting/cycle-1"}


def _buying_together(town: AgreedTown) -> set[str]:
    """bob manages a group of ann and cay, and is a member of one that ann manages: rounds, rebates, a group's lot."""
    own = joining.group(town.node, ["bob", "ann", "cay"], "Bremen buyers")
    pair = joining.group(town.node, ["ann", "bob"], "Harbour buyers")
    bc = joining.relationship_of(town.node, "bob", "cay")
    for manager, circle, group, members in (("bob", own, "g1", ("ann", "cay")), ("ann", pair, "g2", ("bob",))):
        town.do(manager, Charter(circle=circle, group=group, name=f"Group {group}", currency="EUR", purpose="joint"))
        for member in members:
            town.do(member, Join(circle=circle, group=group))
        tiers = [
            PriceTier(from_each=each, unit_price_minor=price) for each, price in ((10, 900), (50, 850), (200, 800))
        ]
        town.do(manager, OpenRound(
            circle=circle, group=group, round=f"round-{group}", commit_by=town.now() + 9 * DAY, item="item-6205",
            supplier="Maker", currency="EUR", tiers=tiers, note="",
        ))  # fmt: skip
        town.do(manager, SetRebate(
            circle=circle, group=group, rebate=f"rebate-{group}", supplier="Maker", currency="EUR",
            from_at=town.now() - 90 * DAY, until_at=town.now() + 90 * DAY, scheme="retroactive",
            tiers=[RateTier(from_minor=0, ppm=10_000), RateTier(from_minor=1_000_000, ppm=25_000)],
        ))  # fmt: skip
        for member in members:
            to_manager = bc if member == "cay" else town.ab
            town.do(member, Commit(circle=to_manager, round=f"round-{group}", each=48, price_max_minor=0))
            _bought(town, member, 400_000, group)
            told = report(town.node.view(member), f"rebate-{group}")
            assert told is not None
            town.do(member, told)
        view = town.node.view(manager)
        for fact in (telling(view, f"round-{group}"), telling_rebate(view, f"rebate-{group}")):
            assert fact is not None
            town.do(manager, fact)
    due = town.now() + 30 * DAY
    town.do("ann", *statements_to_sign(town.node.view("ann"), "rebate-g2", charges_ppm=100_000, due_at=due))
    town.do("bob", ProposeTransfer(
        circle=bc, transfer="lot-1", each=12, expires_at=town.now() + DAY, transfer_kind="consign", item="item-6205",
        lot="", unit_cost_minor=0, markup_ppm=0, currency="EUR",
    ))  # fmt: skip
    town.do("cay", AcceptTransfer(circle=bc, transfer="lot-1", site="store-cay"))
    return set()


def _bought(town: AgreedTown, member: str, net: int, number: str) -> None:
    line = BookLine(
        item=f"DOC-{member}-{number}", side="buy", partner="Maker", net_minor=net, open_minor=net, currency="EUR",
        issued_at=town.now() - DAY,
    )  # fmt: skip
    town.do(member, BookItems(circle=town.home(member), lines=[line]))
