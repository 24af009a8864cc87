"""Steps of a history: parties and their keys, items and numbers, stock, offers, transfers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fair import FIRMS, GROUP, ITEMS, PLACE, POOL, Fair, Hand

from hanse.rooms.catalog.facts import (
    ApproveSubstitute,
    JudgeSubstitute,
    LinkItem,
    PublishItem,
    Supersede,
    UnlinkItem,
)
from hanse.rooms.group.facts import Join, Leave
from hanse.rooms.inventory.facts import (
    HELD,
    STOCK,
    Adjust,
    AdjustLine,
    Count,
    CountLine,
    Move,
    RecordSerials,
    SetPolicy,
)
from hanse.rooms.inventory.offer_facts import (
    OFFERS,
    TRANSFERS,
    WANTS,
    AcceptTransfer,
    Earmark,
    EndTransfer,
    MakeOffer,
    ProposeTransfer,
    Want,
    WithdrawOffer,
    WithdrawWant,
)
from hanse.rooms.parties.facts import (
    CIRCLES,
    KEYS,
    AppointStaff,
    AuthoriseChannel,
    DescribeParty,
    LeaveCircle,
    RetireKey,
    SetPermit,
    SetSite,
)
from hanse.rooms.testing import adding, consent, home, kid

Step = Callable[[Fair, Hand], None]
STEPS: dict[str, Step] = {}
WEIGHTS: dict[str, int] = {}
KINDS = ("sale", "sale", "sale_in_place", "sale_of_held", "consign", "hand_over")
REASONS = ("found", "scrapped", "damaged", "correction", "consumed", "produced", "received", "sold")


def step(weight: int = 1) -> Callable[[Step], Step]:
    """Enter a step under its name."""

    def enter(run: Step) -> Step:
        STEPS[run.__name__] = run
        WEIGHTS[run.__name__] = weight
        return run

    return enter


# -- parties --


@step()
def site(fair: Fair, hand: Hand) -> None:
    party = hand.of(FIRMS)
    name = fair.word(home(party), "Site") if hand.n(2) else f"yard-{party}"
    fact = SetSite(circle=home(party), site=name, name=fair.word(home(party), "Hall"), site_kind="shop", address="",
                   **PLACE)  # fmt: skip
    fair.say(hand.who(party), fact)


@step(2)
def rotate_key(fair: Fair, hand: Hand) -> None:
    """An alias, or a party, gets a new key and signs with it from now on; the old one is retired, or is not."""
    party = hand.of(FIRMS)
    speaker = hand.of([party, *sorted(alias for (who, _), alias in fair.aliases.items() if who == party)])
    old, new = fair.keys.get(speaker, speaker), fair.name(f"key-{speaker}-")
    circle = next((c for (who, c), alias in fair.aliases.items() if alias == speaker), "")
    fact = adding(speaker, new, from_at=fair.now + hand.of((0, 0, 0, 3600)))
    outcome = fair.send(fair.sign(speaker, fact, key=old))[0]
    assert circle or speaker == party
    if outcome.code == "ok" and fact.from_at <= fair.now:
        fair.keys[speaker] = new
        if hand.n(3):
            retire = RetireKey(kid=kid(old), until_at=fair.now + hand.of((0, 0, 86_400)), compromised=hand.n(3) == 0)
            fair.send(fair.sign(speaker, retire, key=new))


@step()
def retire_any_key(fair: Fair, hand: Hand) -> None:
    """A key is retired that may be the only one, or another's; who signs with it then is refused."""
    key = hand.of(fair.rows(KEYS))
    party = fair.behind(key.owner)
    if party in FIRMS:
        speaker = hand.of((key.owner, party))
        current = fair.keys.get(speaker, speaker)
        fact = RetireKey(kid=key.kid, until_at=fair.now + hand.of((0, 3600, 86_400)), compromised=bool(hand.n(2)))
        if kid(current) != key.kid or hand.wild:
            fair.send(fair.sign(speaker, fact, key=current))


@step()
def people(fair: Fair, hand: Hand) -> None:
    """Staff, permits, a brand's dealers."""
    party = hand.of(FIRMS)
    facts: list[Any] = [
        AppointStaff(circle=home(party), person=hand.of(("p1", "p2")), role=hand.of(("owner", "buyer")),
                     approval_limit_minor=10**hand.n(9), currency="EUR", active=bool(hand.n(3)),
                     full_name=fair.word(home(party), "Name")),
        SetPermit(circle=home(party), permit=hand.of(("m1", "m2")), partner=hand.of(("*", *FIRMS)),
                  scope=hand.of(("*", "brand:SKF")), allow=bool(hand.n(2))),
        DescribeParty(name="Firm", city="Kiel", country="DE"),
        AuthoriseChannel(brand=hand.of(("SKF", "FAG")), party=hand.of(FIRMS), until_at=fair.ahead(hand)),
    ]  # fmt: skip
    for fact in facts[hand.n(4) :]:
        fair.say(hand.who(party), fact)


@step(2)
def leave_or_come_back(fair: Fair, hand: Hand) -> None:
    """A member leaves the pool, whatever it has reserved there; the opener may bring it back by a new alias."""
    party = hand.of(FIRMS)
    row = fair.rows(CIRCLES, "circle = ?", POOL)[0]
    alias = fair.aliases[party, POOL]
    if alias in row.members:
        if hand.n(2):
            fair.say(party, Leave(circle=POOL, group=GROUP))
        fair.say(party, LeaveCircle(circle=POOL))
        return
    back = fair.name(f"{party}+{POOL}+")
    fair.endorse(party, back, POOL)
    fair.aliases[party, POOL] = back
    agreed = consent(party, back, POOL, "group", "cay", fair.keys.get(party, party))
    fair.say("cay", fair.widening(POOL, party, back, "cay", consent=agreed))
    fair.say(party, Join(circle=POOL, group=GROUP))


# -- catalogue --


@step()
def publish(fair: Fair, hand: Hand) -> None:
    item = hand.of((*ITEMS, "z", "w"))
    fact = PublishItem(item=item, description="Bearing", brand="SKF", part_number=hand.of((item, item, *ITEMS)),
                       weight_g=hand.n(200))  # fmt: skip
    fair.say(hand.who("cay"), fact)


@step(2)
def supersede(fair: Fair, hand: Hand) -> None:
    fair.say(hand.who("cay"), Supersede(item=hand.of((*ITEMS, "z")), by=hand.of((*ITEMS, "z", ""))))


@step()
def substitute(fair: Fair, hand: Hand) -> None:
    party, one, other = hand.of(FIRMS), hand.of((*ITEMS, "z")), hand.of((*ITEMS, "z"))
    fair.say(hand.who("cay"), ApproveSubstitute(item=one, substitute=other, both_ways=bool(hand.n(2))))
    fair.say(party, JudgeSubstitute(circle=home(party), item=one, substitute=other, allow=bool(hand.n(2))))


@step(2)
def number(fair: Fair, hand: Hand) -> None:
    """Own numbers are set, linked, linked to another item, unlinked."""
    party, item = hand.of(FIRMS), hand.of((*ITEMS, "z"))
    own = hand.of((f"{party}-x", f"{party}-y", f"{party}-new"))
    facts: list[Any] = [
        LinkItem(circle=home(party), own_number=own, item=item, method="own"),
        UnlinkItem(circle=home(party), own_number=own),
        fair.own_item(party, own, hand.of(("EUR", "USD"))),
    ]
    fair.say(hand.who(party), hand.of(facts))


# -- stock --


def where(fair: Fair, hand: Hand, party: str) -> dict[str, str]:
    site = hand.of((f"store-{party}", f"store-{party}", f"yard-{party}"))
    return {"site": site, "own_number": f"{party}-{hand.of(ITEMS)}", "lot": hand.of(("", "", "L1"))}


@step(3)
def count(fair: Fair, hand: Hand) -> None:
    party = hand.of(FIRMS)
    each = hand.of((0, 1, 5, 12, 30, *((10**15, 10**15 + 1) if hand.wild else ())))
    cost = hand.of((-1, 700, 10**15)) if hand.wild else hand.of((-1, 700, 701))
    try_lines = [CountLine(**where(fair, hand, party), each=each, unit_cost_minor=cost)]
    if hand.n(3) == 0:
        try_lines.append(CountLine(**where(fair, hand, party), each=hand.n(9)))
    fact = Count(circle=home(party), lines=try_lines, counted_at=hand.of((0, 0, 0, fair.now, fair.now - 3600)))
    fair.say(hand.who(party), fact)


@step(2)
def adjust(fair: Fair, hand: Hand) -> None:
    party, reason = hand.of(FIRMS), hand.of(REASONS)
    each = hand.each(6)
    sign = -1 if reason in ("scrapped", "damaged", "consumed", "sold") else 1
    sign *= -1 if hand.wild and hand.n(3) == 0 else 1
    line = AdjustLine(**where(fair, hand, party), each=sign * each, reason=reason)
    fair.say(hand.who(party), Adjust(circle=home(party), lines=[line] * (2 if hand.n(4) == 0 else 1)))


@step(2)
def move(fair: Fair, hand: Hand) -> None:
    party = hand.of(FIRMS)
    stock = hand.like(fair.rows(STOCK, "circle = ?", home(party)), lambda s: s.free_each)
    if stock is not None:
        to = f"yard-{party}" if stock.site == f"store-{party}" else f"store-{party}"
        fact = Move(circle=home(party), own_number=stock.own_number, lot=stock.lot, owner=stock.owner,
                    from_site=stock.site, to_site=to, each=hand.each(stock.free_each))  # fmt: skip
        fair.say(hand.who(party), fact)


@step()
def policy(fair: Fair, hand: Hand) -> None:
    party = hand.of(FIRMS)
    facts: list[Any] = [
        SetPolicy(circle=home(party), own_number=f"{party}-{hand.of(ITEMS)}", currency="EUR",
                  minimum_price_minor=4 * 10**12 + hand.n(50), keep_each=hand.n(6)),
        RecordSerials(circle=home(party), own_number=f"{party}-x", site=f"store-{party}", lot="",
                      serials=[fair.word(home(party), "SN")]),
    ]  # fmt: skip
    for fact in facts[hand.n(2) :]:
        fair.say(hand.who(party), fact)


# -- offers --


def set_aside(fair: Fair, hand: Hand, party: str, name: str, owner: str = "") -> Earmark | None:
    """An earmark of free stock that a step has just signed, or None."""
    rows = [row for row in fair.rows(STOCK, "circle = ?", home(party)) if hand.wild or row.owner == owner]
    stock = hand.like(rows, lambda s: s.free_each)
    if stock is None:
        return None
    fair.words.append((home(party), str(5 * 10**12 + 1_000_003 * len(fair.words))))
    fact = Earmark(
        circle=home(party), offer=name, own_number=stock.own_number, site=stock.site, lot=stock.lot, owner=stock.owner,
        each=hand.each(stock.free_each), minimum_price_minor=int(fair.words[-1][1]), currency="EUR",
    )  # fmt: skip
    fair.say(hand.who(party), fact)
    return fact


@step(5)
def offer(fair: Fair, hand: Hand) -> None:
    circle, party, _ = fair.rel(hand)
    circle = POOL if hand.n(2) else circle
    name = fair.name("offer")
    mark = set_aside(fair, hand, party, name)
    if mark is None:
        return
    each = hand.each(mark.each) if hand.wild else mark.each
    item = mark.own_number.rpartition("-")[2] if not hand.wild else hand.of((*ITEMS, "z"))
    fact = MakeOffer(
        circle=circle, offer=name, each=each, expires_at=fair.ahead(hand, 6), item=item, offer_kind="sell",
        unit_price_minor=fair.price(circle, hand), currency=hand.of(("EUR", "EUR", "EUR", "USD")), pack_each=1,
        minimum_each=1, lead_time_days=hand.n(3), firm=bool(hand.n(3)), condition="new", lot_expiry_at=0, **PLACE,
    )  # fmt: skip
    fair.say(hand.who(party), fact)


@step(2)
def withdraw_offer(fair: Fair, hand: Hand) -> None:
    row = hand.like(fair.rows(OFFERS), lambda o: not o.withdrawn and o.expires_at > fair.now)
    if row is not None:
        fair.say(hand.who(fair.behind(row.alias)), WithdrawOffer(circle=row.circle, offer=row.offer))


@step(2)
def want(fair: Fair, hand: Hand) -> None:
    circle, party, _ = fair.rel(hand)
    circle = POOL if hand.n(2) else circle
    row = hand.like(fair.rows(WANTS), lambda w: not w.withdrawn)
    if row is not None and hand.n(2):
        fair.say(hand.who(fair.behind(row.alias)), WithdrawWant(circle=row.circle, want=row.want))
        return
    fact = Want(circle=circle, want=fair.name("want"), expires_at=fair.ahead(hand), item=hand.of(ITEMS),
                each=hand.each(9), borrow=bool(hand.n(2)), note=fair.word(circle, "Note"), **PLACE)  # fmt: skip
    fair.say(hand.who(party), fact)


# -- transfers --


@step(4)
def propose_transfer(fair: Fair, hand: Hand) -> None:
    circle, giver, taker = fair.rel(hand)
    kind, name = hand.of(KINDS), fair.name("transfer")
    item, lot, each = hand.of(ITEMS), "", hand.each(5)
    if kind == "sale_of_held":
        held = hand.like(fair.rows(HELD, "circle = ?", home(giver)), lambda h: h.custodian == taker)
        if held is not None:
            item, lot, each = held.item, held.lot, hand.each(held.each)
    else:
        mark = set_aside(fair, hand, giver, name, taker if kind == "hand_over" else "")
        if mark is not None:
            item, lot, each = mark.own_number.rpartition("-")[2], mark.lot, mark.each
    fact = ProposeTransfer(
        circle=circle, transfer=name, each=each, expires_at=fair.ahead(hand), transfer_kind=kind, item=item, lot=lot,
        unit_cost_minor=fair.price(circle, hand), markup_ppm=hand.of((45_000, 0, -1_000_000, 10_000_000)),
        currency="EUR",
    )  # fmt: skip
    fair.say(hand.who(giver), fact)


@step(4)
def answer_transfer(fair: Fair, hand: Hand) -> None:
    row = hand.like(fair.rows(TRANSFERS), lambda t: t.state == "proposed" and t.expires_at > fair.now)
    if row is None:
        return
    taker = fair.behind(row.taker)
    if hand.n(4) == 0:
        fair.say(hand.who(hand.of((taker, fair.behind(row.giver)))),
                 EndTransfer(circle=row.circle, transfer=row.transfer))  # fmt: skip
        return
    at = hand.of((f"store-{taker}", f"store-{taker}", f"yard-{taker}"))
    fair.say(hand.who(taker), AcceptTransfer(circle=row.circle, transfer=row.transfer, site=at))
