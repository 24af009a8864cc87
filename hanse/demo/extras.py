"""What else a firm's pages show: people and their limits, permits, wants, transfers, items that follow others."""

from __future__ import annotations

from hanse.demo.buying import MARKUP_PPM
from hanse.demo.cast import DISTRIBUTORS, MANUFACTURERS, Firm, by_party
from hanse.demo.deals import LENDERS, MAIN
from hanse.demo.goods import Good
from hanse.demo.ids import opaque
from hanse.demo.netting import HOUR, close_cycle, open_cycle
from hanse.demo.people import PEOPLE
from hanse.demo.stocks import Kept, earmark
from hanse.demo.trader import DAY
from hanse.demo.year import Year
from hanse.rooms.catalog.facts import Supersede
from hanse.rooms.inventory.offer_facts import AcceptTransfer, MakeOffer, ProposeTransfer, Want
from hanse.rooms.parties.facts import AppointStaff, SetPermit

NO_LIMIT_MINOR = 10**9
PRICE_LIST_LINES = 24
OPEN_LINES = 6
LENT_OFFERS = 4


def appoint(year: Year) -> None:
    """The people whose eyes a visitor may borrow, in their firms' staff lists."""
    for person in PEOPLE:
        limit = NO_LIMIT_MINOR if person.approval_limit_minor is None else person.approval_limit_minor
        year.trader.do(
            person.party,
            AppointStaff(
                circle=year.trader.home(person.party),
                person=person.email.partition("@")[0],
                role=person.role,
                approval_limit_minor=limit,
                currency="EUR",
                active=True,
                full_name=person.name,
            ),
        )


def permits(year: Year) -> None:
    """To whom the main distributor does not sell, and one exception."""
    rules = (
        ("no-kogge", "*", "brand:Kogge", False),
        ("kogge-lender", LENDERS[0], "brand:Kogge", True),
        ("rival-seals", "alster-industrie", "category:seals", False),
    )
    for permit, partner, scope, allow in rules:
        home = year.trader.home(MAIN)
        year.trader.do(MAIN, SetPermit(circle=home, permit=permit, partner=partner, scope=scope, allow=allow))


def supersede(year: Year, goods: list[Good]) -> None:
    """Some of each maker's items are followed by another of its own."""
    for maker in MANUFACTURERS[:3]:
        mine = [good for good in goods if good.maker == maker.party]
        facts = [Supersede(item=old.item, by=new.item) for old, new in zip(mine[-7:-1:3], mine[-5::3], strict=False)]
        year.trader.do_batch(maker.party, facts)


def wants(year: Year) -> None:
    """The main distributor asks the pool for what it lacks; members ask for what it has."""
    firms, main = by_party(), by_party()[MAIN]
    out = [k for k in _linked(year, main) if k.free < 1][:3]
    for n, kept in enumerate(out):
        _want(
            year,
            main,
            opaque("w", MAIN, n),
            kept.good,
            4 + 3 * n,
            borrow=n != 1,
            note="A customer's line stands still.",
        )
    idle = sorted((k for k in _linked(year, main) if k.free > 4), key=lambda k: (not k.dead, k.good.item))[:3]
    for n, kept in enumerate(idle):
        asker = firms[LENDERS[n % len(LENDERS)]]
        _want(year, asker, opaque("w", asker.party, n), kept.good, 2 + n, borrow=n == 0, note="")


def open_lines(year: Year) -> None:
    """What members lack at the year's end and others offer to the pool: the open lines of the pool's plan."""
    for firm in DISTRIBUTORS:
        short = [kept for kept in _linked(year, firm) if not kept.dead and kept.free + kept.on_order < kept.level // 2]
        short = [kept for kept in short if any(one.owner != firm for one in year.standing.get(kept.good.item, ()))]
        short.sort(key=lambda kept: (-kept.good.price_minor * kept.level, kept.good.item))
        for kept in short[:OPEN_LINES]:
            pack = kept.good.pack_each
            each = -(-max(1, kept.level - kept.free - kept.on_order) // pack) * pack
            _want(year, firm, opaque("w", firm.party, kept.good.item), kept.good, each, borrow=False, note="")


def lend(year: Year) -> None:
    """Members lend the main distributor what it lacks and they have to spare."""
    main = by_party()[MAIN]
    out = [kept for kept in _linked(year, main) if kept.free + kept.on_order < 1 and not kept.dead]
    lent = 0
    for kept in out:
        spare = [(firm, year.shelves[firm.party].get(kept.good.item)) for firm in DISTRIBUTORS if firm != main]
        best = max(((k.spare, firm, k) for firm, k in spare if k is not None and k.level), key=lambda one: one[0],
                   default=None)  # fmt: skip
        if best is not None and best[0] >= 4 and lent < LENT_OFFERS:
            _offer_to_lend(year, best[1], best[2], best[0] // 2)
            lent += 1


def _offer_to_lend(year: Year, firm: Firm, kept: Kept, each: int) -> None:
    trader, offer, place = year.trader, opaque("of", "lend", firm.party, kept.good.item), firm.place
    trader.do(firm.party, earmark(trader.home(firm.party), offer, firm, kept.own_number, each, 0))
    trader.do(
        firm.party,
        MakeOffer(
            circle=year.pool,
            offer=offer,
            each=each,
            expires_at=trader.clock.now + 60 * DAY,
            item=kept.good.item,
            offer_kind="lend",
            country=firm.country,
            city=firm.city,
            latitude_microdeg=place.latitude_microdeg,
            longitude_microdeg=place.longitude_microdeg,
            unit_price_minor=kept.cost_minor,
            currency="EUR",
            pack_each=1,
            minimum_each=1,
            lead_time_days=1,
            firm=True,
            condition="new",
            lot_expiry_at=0,
        ),
    )
    kept.offered += each


def _linked(year: Year, firm: Firm) -> list[Kept]:
    return [kept for kept in year.shelves[firm.party].values() if kept.level]


def _want(year: Year, firm: Firm, name: str, good: Good, each: int, *, borrow: bool, note: str) -> None:
    place = firm.place
    year.trader.do(
        firm.party,
        Want(
            circle=year.pool,
            want=name,
            expires_at=year.trader.clock.now + 30 * DAY,
            item=good.item,
            each=each,
            borrow=borrow,
            country=firm.country,
            city=firm.city,
            latitude_microdeg=place.latitude_microdeg,
            longitude_microdeg=place.longitude_microdeg,
            note=note,
        ),
    )


def transfers(year: Year) -> None:
    """Goods between the main distributor and members at cost plus: two done, two that wait for an answer."""
    firms = by_party()
    main, first, second = firms[MAIN], firms[LENDERS[0]], firms[LENDERS[1]]
    _transfer(year, main, first, opaque("t", "tt-wb"), accept=True)
    _transfer(year, second, main, opaque("t", "gm-tt"), accept=True)
    _transfer(year, first, main, opaque("t", "wb-tt"), accept=False)
    _transfer(year, main, DISTRIBUTORS[3], opaque("t", "tt-rh"), accept=False)


def _transfer(year: Year, giver: Firm, taker: Firm, name: str, *, accept: bool) -> None:
    trader = year.trader
    known = {kept.good.item for kept in _linked(year, taker)}
    kept = next((k for k in _linked(year, giver) if k.spare >= 2 and k.good.item in known), None)
    if kept is None:
        return
    each, circle = min(6, kept.spare), trader.circle(giver.party, taker.party)
    trader.do(giver.party, earmark(trader.home(giver.party), name, giver, kept.own_number, each, 0))
    trader.do(
        giver.party,
        ProposeTransfer(
            circle=circle,
            transfer=name,
            each=each,
            expires_at=trader.clock.now + 30 * DAY,
            transfer_kind="sale",
            item=kept.good.item,
            lot="",
            unit_cost_minor=kept.cost_minor,
            markup_ppm=MARKUP_PPM,
            currency="EUR",
        ),
    )
    kept.promised += each
    if accept:
        trader.do(taker.party, AcceptTransfer(circle=circle, transfer=name, site=taker.site))
        kept.promised -= each
        kept.on_hand -= each
        year.shelves[taker.party][kept.good.item].on_hand += each


def price_list(year: Year, maker: str, but: str) -> None:
    """The main distributor's largest supplier offers it the items that it keeps of it, at its usual price.

    Args:
        but: an item that is left out.
    """
    trader, firm = year.trader, by_party()[maker]
    shelf, theirs = year.shelves[MAIN], year.shelves[maker]
    kept = [
        k
        for k in shelf.values()
        if k.level and k.good.item != but and (t := theirs.get(k.good.item)) is not None and t.level and t.spare > 60
    ][:PRICE_LIST_LINES]
    home, circle, place = trader.home(maker), trader.circle(maker, MAIN), firm.place
    for mine in kept:
        offer = opaque("of", "list", firm.party, mine.good.item)
        source = theirs[mine.good.item]
        each = source.spare // 2
        trader.do(maker, earmark(home, offer, firm, source.own_number, each, 0))
        trader.do(
            maker,
            MakeOffer(
                circle=circle,
                offer=offer,
                each=each,
                expires_at=trader.clock.now + 60 * DAY,
                item=mine.good.item,
                offer_kind="sell",
                country=firm.country,
                city=firm.city,
                latitude_microdeg=place.latitude_microdeg,
                longitude_microdeg=place.longitude_microdeg,
                unit_price_minor=mine.cost_minor,
                currency="EUR",
                pack_each=mine.good.pack_each,
                minimum_each=mine.good.pack_each,
                lead_time_days=4,
                firm=True,
                condition="new",
                lot_expiry_at=0,
            ),
        )
        source.offered += each


def all_of(year: Year, goods: list[Good], maker: str, but: str) -> None:
    """Everything of this file that comes after the year."""
    clearing = open_cycle(year)
    year.trader.until(year.trader.clock.now + 2 * HOUR)
    permits(year)
    supersede(year, goods)
    wants(year)
    open_lines(year)
    lend(year)
    transfers(year)
    price_list(year, maker, but)
    close_cycle(year, clearing)
