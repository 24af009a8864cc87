"""Steps of a history: bills and payments, escrow, netting, the group, plans."""

from __future__ import annotations

from typing import Any

import msgspec
from fair import DAY, FIRMS, GROUP, ITEMS, MONEY_EDGES, PAIRS, POOL, Fair, Hand
from fair_goods import step

from hanse.rooms.accounts import drafting
from hanse.rooms.accounts.deal_facts import (
    AcceptAssignment,
    AcceptEscrow,
    AssignDebt,
    HoldEscrow,
    NettingClose,
    NettingOpen,
)
from hanse.rooms.accounts.facts import Allocation, BookItems, BookLine, CreditLine, Pay, ReceivePayment, SetTerms
from hanse.rooms.accounts.rows import ASSIGNMENTS, CYCLES, ESCROW_WAITS, INVOICES, PAYMENTS
from hanse.rooms.accounts.rows import ITEMS as OWED
from hanse.rooms.group import queries as group_queries
from hanse.rooms.group.facts import Commit, OpenRound, PriceTier, RateTier, ReportPurchases, SetRebate
from hanse.rooms.group.rows import ROUNDS
from hanse.rooms.inventory.offer_facts import OFFERS
from hanse.rooms.orders.rows import ORDERS, SHIPMENTS
from hanse.rooms.plans import facts as plans
from hanse.rooms.plans.checking import check_plan
from hanse.rooms.plans.rows import PLANS, WINDOWS, PlanRow
from hanse.rooms.plans.rules import gap_of, lines_hash, plan_hash
from hanse.rooms.testing import home


def spoil(fair: Fair, hand: Hand, fact: Any, *names: str) -> Any:
    """The fact; in a wild step with one of the named amounts at an edge."""
    if hand.wild and hand.n(2):
        return msgspec.structs.replace(fact, **{hand.of(names): hand.of(MONEY_EDGES)})
    return fact


# -- accounts --


@step(6)
def invoice(fair: Fair, hand: Hand) -> None:
    shipment = hand.like(fair.rows(SHIPMENTS), lambda s: s.method)
    if shipment is None:
        return
    order = fair.rows(ORDERS, "order_id = ?", shipment.order_id)[0]
    seller = fair.behind(order.seller)
    if seller not in shipment.circle:
        seller = shipment.circle.removeprefix("home-")
    lines = drafting.unbilled_lines(fair.view(seller), shipment.circle, shipment.shipment, 190_000)
    if lines and hand.n(2):
        lines = [msgspec.structs.replace(line, each=max(1, hand.each(line.each))) for line in lines]
    fact = drafting.invoice(fair.view(seller), shipment.circle, fair.name("inv"), (shipment.shipment,), lines=lines,
                            number=fair.word(shipment.circle, "RE"))  # fmt: skip
    if fact is not None:
        fair.say(hand.who(seller), spoil(fair, hand, fact, "net_minor", "tax_minor", "gross_minor"))


@step(3)
def credit_note(fair: Fair, hand: Hand) -> None:
    text = hand.like(fair.rows(INVOICES), lambda t: not t.corrects)
    if text is None or not text.lines:
        return
    item = fair.rows(OWED, "circle = ? AND item = ?", text.circle, text.invoice)[0]
    supplier = item.supplier if not item.supplier.startswith("~") else item.customer
    line = hand.of(text.lines)
    part = CreditLine(number=line.number, each=min(10**15, max(0, hand.each(line.each - line.credited_each))))
    if max(part.each, 1) * line.unit_price_minor > 10**17:
        return  # a door refuses it before there is a fact (accounts.too_much)
    fact = drafting.credit_note(fair.view(supplier), text.circle, fair.name("cn"), text.invoice, [part],
                                reason="goodwill")  # fmt: skip
    if fact is not None:
        fair.say(hand.who(supplier), spoil(fair, hand, fact, "net_minor", "tax_minor", "gross_minor"))


@step(6)
def pay(fair: Fair, hand: Hand) -> None:
    """In whole, in part, too much; announced by the payer or claimed by the payee."""
    item = hand.like(fair.rows(OWED), lambda i: i.open_minor > i.announced_minor)
    if item is None:
        return
    free = item.open_minor - item.announced_minor
    amount = hand.of((free, free, max(1, free // 3), free + 1 if hand.wild else free))
    over = hand.of((0, 0, 5))
    fields: dict[str, Any] = {
        "circle": item.circle, "payment": fair.name("pay"), "answer_by": fair.ahead(hand), "currency": item.currency,
        "amount_minor": max(0, amount) + over, "allocations": [Allocation(item=item.item, amount_minor=amount)],
        "payer": item.customer, "reference": fair.word(item.circle, "Ref"),
    }  # fmt: skip
    if item.circle.startswith("home-"):
        payee = item.supplier
        fair.say(item.circle.removeprefix("home-"), Pay(**fields, payee=payee))
    elif hand.n(3):
        fair.say(hand.who(item.customer), spoil(fair, hand, Pay(**fields), "amount_minor"))
    else:
        fair.say(hand.who(item.supplier), spoil(fair, hand, ReceivePayment(**fields), "amount_minor"))


@step(5)
def answer_payment(fair: Fair, hand: Hand) -> None:
    row = hand.like(fair.rows(PAYMENTS), lambda p: p.state in ("announced", "claimed", "unconfirmed"))
    if row is None or row.circle.startswith("home-"):
        return
    if row.state == "claimed":
        fact: Any = Pay(circle=row.circle, payment=row.payment, answer_by=fair.ahead(hand),
                        amount_minor=row.amount_minor, currency=row.currency)  # fmt: skip
        fair.say(hand.who(row.payer), fact)
        return
    amount = {"amount_minor": max(0, row.amount_minor - hand.n(3))} if hand.n(3) == 0 else {}
    fact = ReceivePayment(circle=row.circle, payment=row.payment, answer_by=fair.ahead(hand), **amount)
    fair.say(hand.who(row.payee), fact)


@step()
def refund_or_offset(fair: Fair, hand: Hand) -> None:
    """The supplier pays back what it owes; or a credit and an invoice settle each other."""
    credit = hand.like(fair.rows(OWED), lambda i: i.open_minor < i.announced_minor)
    if credit is None or credit.circle.startswith("home-") or credit.open_minor >= 0:
        return
    amount = credit.open_minor - credit.announced_minor
    same = [i for i in fair.rows(OWED, "circle = ? AND open_minor > announced_minor", credit.circle)
            if (i.currency, i.supplier, i.customer) == (credit.currency, credit.supplier, credit.customer)]  # fmt: skip
    parts, refund = [Allocation(item=credit.item, amount_minor=amount)], True
    if same and hand.n(2):
        owed = hand.of(same)
        each = min(-amount, owed.open_minor - owed.announced_minor)
        parts = [Allocation(item=credit.item, amount_minor=-each), Allocation(item=owed.item, amount_minor=each)]
        refund = False
    fact = Pay(
        circle=credit.circle, payment=fair.name("pay"), answer_by=fair.ahead(hand), currency=credit.currency,
        payer=credit.supplier if refund else credit.customer, payee=credit.customer if refund else credit.supplier,
        refund=refund, amount_minor=-amount if refund else 0, allocations=parts,
    )  # fmt: skip
    fair.say(hand.who(str(fact.payer)), fact)


@step(3)
def escrow(fair: Fair, hand: Hand) -> None:
    row = hand.like(fair.rows(ESCROW_WAITS), lambda e: e.state == "asked")
    if row is not None and hand.n(3):
        other = [party for party in row.circle.split("--") if party != fair.behind(row.alias)]
        fair.say(hand.who(hand.of(other)), AcceptEscrow(circle=row.circle, escrow=row.escrow))
        return
    order = hand.like(fair.rows(ORDERS), lambda o: "--" in o.circle)
    if order is not None:
        settle_by = fair.ahead(hand, 20)
        fact = HoldEscrow(circle=order.circle, escrow=fair.name("esc"), order=order.order_id, settle_by=settle_by,
                          answer_by=fair.ahead(hand, 3), inspect_seconds=hand.of((0, DAY)),
                          holder=fair.behind(order.seller), currency=hand.of(("EUR", "EUR", "USD")),
                          amount_minor=fair.price(order.circle, hand))  # fmt: skip
        fair.say(hand.who(fair.behind(order.buyer)), fact)


@step(2)
def assign(fair: Fair, hand: Hand) -> None:
    row = hand.like(fair.rows(ASSIGNMENTS), lambda a: a.state == "asked")
    if row is not None and hand.n(3):
        other = row.customer if row.proposer == row.supplier else row.supplier
        fair.say(hand.who(other), AcceptAssignment(circle=row.circle, assignment=row.assignment))
        return
    item = hand.like(fair.rows(OWED), lambda i: "--" in i.circle and i.open_minor > 0)
    if item is None or item.circle.startswith("home-"):
        return
    third = hand.of([firm for firm in FIRMS if firm not in (item.supplier, item.customer)])
    step_ = hand.of(("leaves", "leaves", "arrives"))
    fact = AssignDebt(
        circle=item.circle, assignment=fair.name("asg"), answer_by=fair.ahead(hand), step=step_, third=third,
        supplier=item.supplier, customer=item.customer, item=item.item, currency=item.currency, due_at=0,
        amount_minor=max(1, hand.of((item.open_minor, item.open_minor // 2, item.amount_minor))),
        reference=fair.word(item.circle, "Ref"),
    )  # fmt: skip
    fair.say(hand.who(hand.of((item.supplier, item.customer))), fact)


@step(4)
def netting(fair: Fair, hand: Hand) -> None:
    cycle = hand.like(fair.rows(CYCLES), lambda c: c.state in ("collecting", "closing", "signing"))
    if cycle is None or hand.n(6) == 0:
        fact: Any = NettingOpen(circle=POOL, cycle=fair.name("cyc"), submit_by=fair.ahead(hand), sign_seconds=DAY,
                                currency="EUR")  # fmt: skip
        fair.say(hand.who(hand.of(FIRMS)), fact)
        return
    if cycle.state == "collecting" and hand.n(5):
        for party in FIRMS if hand.n(2) else [hand.of(FIRMS)]:
            fact = drafting.submission(fair.view(party), cycle.cycle)
            if fact is not None:
                fair.say(party, fact)
    elif cycle.state != "signing":
        treasurer = fair.behind(cycle.treasurer)
        fact = drafting.closing(fair.view(treasurer), cycle.cycle, "salt of sixteen bytes")
        if fact is not None and hand.wild:
            fact = NettingClose(
                circle=POOL, cycle=cycle.cycle, result="0" * 64, parties=fact.parties[:1], salt="s" * 16
            )
        if fact is not None:
            fair.say(hand.who(treasurer), fact)
    else:
        for party in FIRMS if hand.n(2) else [hand.of(FIRMS)]:
            fact = drafting.signature(fair.view(party), cycle.cycle)
            if fact is not None:
                fair.say(party, fact)


@step(2)
def net_at_once(fair: Fair, hand: Hand) -> None:
    """A whole cycle within a day: opened, submitted to by all, stated, signed by all but at times one."""
    cycle = fair.name("cyc")
    fair.say("cay", NettingOpen(circle=POOL, cycle=cycle, submit_by=fair.now + DAY, sign_seconds=DAY, currency="EUR"))
    for make in (
        [(party, drafting.submission) for party in FIRMS],
        [("cay", lambda view, name: drafting.closing(view, name, "salt of sixteen bytes"))],
        [(party, drafting.signature) for party in FIRMS if party != hand.of((*FIRMS, "", "", ""))],
    ):
        for party, draw in make:
            fact = draw(fair.view(party), cycle)
            if fact is not None:
                fair.say(party, fact)


@step()
def own_books(fair: Fair, hand: Hand) -> None:
    party = hand.of(FIRMS)
    circle, net = home(party), fair.price(home(party), hand)
    issued = fair.now - hand.n(30) * DAY
    facts: list[Any] = [
        SetTerms(circle=circle, partner=hand.of(("*", *FIRMS)), currency="EUR", payment_days=hand.n(40), hold=False,
                 discount_ppm=hand.of((0, 20_000, 999_999)), discount_days=hand.n(14), tax_ppm=190_000,
                 credit_limit_minor=-1, overdue_days_max=20),
    ]  # fmt: skip
    if 0 <= net <= 10**17:
        line = BookLine(item=fair.name("book"), side=hand.of(("buy", "sell")), partner=fair.word(circle, "Werft"),
                        currency="EUR", net_minor=net, open_minor=hand.of((net, 0)), issued_at=issued)  # fmt: skip
        facts.append(BookItems(circle=circle, lines=[line]))
    fair.say(hand.who(party), hand.of(facts))


# -- group --


@step(3)
def round_(fair: Fair, hand: Hand) -> None:
    row = hand.like(fair.rows(ROUNDS), lambda r: r.state in ("open", "deciding"))
    if row is None or hand.n(5) == 0:
        tiers = [PriceTier(from_each=each, unit_price_minor=price) for each, price in ((5, 900), (20, 800))]
        fact: Any = OpenRound(circle=POOL, group=GROUP, round=fair.name("round"), commit_by=fair.ahead(hand),
                              item=hand.of(ITEMS), supplier="Maker", currency="EUR", tiers=tiers,
                              note=fair.word(POOL, "Round"))  # fmt: skip
        fair.say(hand.who("cay"), fact)
        return
    party = hand.of(("ann", "bob", "eve"))
    circle = next(f"{a}--{b}" for a, b in PAIRS if {a, b} == {"cay", party})
    commit = Commit(circle=circle, round=row.round, each=hand.each(9), price_max_minor=hand.of((0, 850)))
    told = hand.of((group_queries.telling, group_queries.closing))(fair.view("cay"), row.round)
    fact = hand.of([commit, commit] + ([told] if told is not None else []))
    fair.say(hand.who("cay" if fact is told else party), fact)


@step(2)
def rebate(fair: Fair, hand: Hand) -> None:
    """Stated by the manager, reported to by members, told, and shared out to the cent."""
    party, name = hand.of(("ann", "bob", "eve")), hand.of(("reb1", "reb2"))
    circle = next(f"{a}--{b}" for a, b in PAIRS if {a, b} == {"cay", party})
    tiers = [RateTier(from_minor=0, ppm=10_000), RateTier(from_minor=1_000_000, ppm=30_000)]
    cay = fair.view("cay")
    facts: list[Any] = [
        SetRebate(circle=POOL, group=GROUP, rebate=name, supplier="Maker", currency="EUR", from_at=0, until_at=2**40,
                  scheme=hand.of(("retroactive", "incremental")), tiers=tiers),
        ReportPurchases(circle=circle, rebate=name, currency="EUR", signed_minor=1_000 + hand.n(9),
                        imported_minor=hand.of((0, 10**17, 10**17 + 1) if hand.wild else (0, 5)), documents=1),
        group_queries.telling_rebate(cay, name),
        *group_queries.statements_to_sign(cay, name),
    ]  # fmt: skip
    fact = hand.of([fact for fact in facts if fact is not None])
    fair.say(hand.who(party if isinstance(fact, ReportPurchases) else "cay"), fact)


# -- plans --


def attest(fair: Fair, party: str, row: PlanRow) -> None:
    """A reader says what it finds: whoever recomputes the record would find out who says otherwise."""
    found = check_plan(fair.view(party), row.plan)
    good = found is not None and found.ok
    fair.say(party, plans.Attest(circle=POOL, plan=row.plan, good=good, bound_scaled=row.bound_scaled,
                                 faults="" if good else fair.word(POOL, "Fault")))  # fmt: skip


@step(3)
def plan(fair: Fair, hand: Hand) -> None:
    """A window over the pool's offers, plans of it that draw on them, what readers say of them."""
    window = hand.like(fair.rows(WINDOWS), lambda w: w.state == "open")
    party = hand.of(FIRMS)
    if window is None or hand.n(6) == 0:
        open_ = [o.offer for o in fair.rows(OFFERS, "circle = ?", POOL)
                 if hand.wild or (not o.withdrawn and o.expires_at > fair.now)]  # fmt: skip
        line = plans.PlanLine(line=1, order=1, reference="want", item=hand.of(ITEMS), each=9, penalty_minor=9_000,
                              options=[plans.Option(offer, "here", 100, 9) for offer in open_[:60]])  # fmt: skip
        fact: Any = plans.OpenWindow(circle=POOL, window=fair.name("win"), ends_at=fair.ahead(hand), offers=open_[:60],
                                     problem=lines_hash("", [line]), lines=[line], own_stock=[], shipments_max=3,
                                     currency="EUR", about=fair.word(POOL, "Plan"))  # fmt: skip
        fair.say(party, fact)
        return
    row = hand.like(fair.rows(PLANS), lambda p: p.state == "standing")
    if row is not None and hand.n(3):
        if hand.n(5):
            attest(fair, party, row)
        else:
            fair.say(hand.who(fair.behind(row.planner)), plans.WithdrawPlan(circle=POOL, plan=row.plan))
        return
    sources = [o for o in fair.rows(OFFERS, "circle = ?", POOL)]
    taken = [(1, o.offer, max(1, hand.each(o.open_each))) for o in sources[: 1 + hand.n(3)] if o.open_each]
    cost = hand.of((1_000, 0, -5, 10**17))
    fact = plans.Propose(
        circle=POOL, window=window.window, plan=fair.name("plan"), plan_hash=plan_hash("", taken, []),
        certificate="0" * 64, scale=1, bound_scaled=cost - 1, cost_minor=cost, gap_ppm=gap_of(cost, cost - 1),
        assignments=taken, prices=[], own_assignments=[], own_prices=[],
    )  # fmt: skip
    fair.say(hand.who(party), fact)


@step()
def rule_at_home(fair: Fair, hand: Hand) -> None:
    """What is accepted without looking: said, said anew, ended, ended twice."""
    party = hand.of(FIRMS)
    name = hand.of(("r1", "r1", "r2"))
    made = plans.SetRule(circle=home(party), rule=name, seller="", source_kind="", currency="EUR",
                         line_max_minor=1, total_max_minor=2)  # fmt: skip
    ended = plans.EndRule(circle=home(party), rule=name)
    for fact in (made, ended, ended)[: 1 + hand.n(3)]:
        fair.say(hand.who(party), fact)
