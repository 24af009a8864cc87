"""What buyer and seller alone know of deliveries, returns and ratings: the circle's rules."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, circle_timer
from hanse.rooms.orders.after import RETURN_UNANSWERED
from hanse.rooms.orders.delivery import DEEMED_RECEIVED
from hanse.rooms.orders.delivery_facts import AcceptReturn, Contest, HandOver, Rate, Receive, ReturnGoods, Ship
from hanse.rooms.orders.private_rows import (
    FILES,
    KEPT_DAYS,
    ORDER_TERMS,
    RATINGS,
    RETURN_TERMS,
    SHIPMENT_TERMS,
    FileNamed,
    KeptDay,
    Lack,
    LotOut,
    OrderTerms,
    Promise,
    Rating,
    ReturnTerms,
    ShipmentTerms,
    ShippedSlice,
)
from hanse.rooms.orders.rows import DEEMED, RETURNS, SHIPMENTS, Return, Shipment
from hanse.rooms.orders.terms import fit, order_row, said, terms_of
from hanse.rooms.orders.told import DeliveryKnown, RatingKnown, ReturnKnown
from hanse.rooms.parties.rules import party_behind

PPM = 1_000_000
DAY_SECONDS = 86_400


@circle_rule(Ship)
def keep_shipment(draft: Draft, fact: Ship) -> None:
    """What left, promise by promise, the earliest first. What was confirmed in words that did not come to stand in this
    circle counts as ordered, without a date. Refuses: orders.no_terms."""
    terms = terms_of(draft, fact.circle, fact.order)
    known = {line.line: line for line in terms.lines}
    slices: list[ShippedSlice] = []
    after: dict[int, tuple[Promise, ...]] = {}
    for part in fact.lines:
        line = known[part.line]
        taken, after[part.line] = _consume(line.promises, part.each)
        slices += [ShippedSlice(part.line, p.each, p.item, p.unit_price_minor, p.promised_at) for p in taken]
        if rest := part.each - sum(p.each for p in taken):
            slices.append(ShippedSlice(part.line, rest, line.item, line.unit_price_minor, 0))
    lots = tuple(
        LotOut(part.line, lot.lot, lot.each, tuple(lot.serials), lot.expires_at)
        for part in fact.lines
        for lot in said(part.lots, [])
    )
    row = ShipmentTerms(
        circle=fact.circle,
        shipment=fact.shipment,
        order_id=fact.order,
        carrier=said(fact.carrier, ""),
        tracking=said(fact.tracking, ""),
        packages=said(fact.packages, 0),
        weight_g=said(fact.weight_g, 0),
        neutral_slip=said(fact.neutral_slip, True),
        shipped_at=_between(terms.ordered_at, said(fact.shipped_at, 0) or draft.now, draft.now),
        slices=tuple(slices),
        lots=lots,
    )
    draft.put(SHIPMENT_TERMS, row)
    lines = tuple(replace(line, promises=after.get(line.line, line.promises)) for line in terms.lines)
    draft.put(ORDER_TERMS, fit(order_row(draft, fact.order), replace(terms, lines=lines)))


def _between(low: int, at: int, high: int) -> int:
    return max(low, min(at, high))


def _consume(promises: tuple[Promise, ...], each: int) -> tuple[list[Promise], tuple[Promise, ...]]:
    """(what `each` takes of the earliest promises, what stays)."""
    taken, left = [], []
    for promise in promises:
        take = min(promise.each, each)
        each -= take
        if take:
            taken.append(replace(promise, each=take))
        if promise.each > take:
            left.append(replace(promise, each=promise.each - take))
    return taken, tuple(left)


def _shipment_terms(draft: Draft, circle: str, shipment: str) -> ShipmentTerms:
    """Refuses: orders.no_terms."""
    row = draft.get(SHIPMENT_TERMS, circle, shipment)
    if row is None:
        raise Refused("orders.no_terms", "this shipment did not come to stand in this circle", got=shipment)
    return row


def _public(draft: Draft, shipment: str) -> Shipment:
    found = draft.get(SHIPMENTS, shipment)
    assert found is not None, "the public rule has accepted it"
    return found


@circle_rule(HandOver)
def keep_hand_over(draft: Draft, fact: HandOver) -> None:
    """Who carries it, and the files of its signature and photograph, which both sides may read.

    Refuses: orders.no_terms.
    """
    row = _shipment_terms(draft, fact.circle, fact.shipment)
    signature, photo = said(fact.signature_hash, ""), said(fact.photo_hash, "")
    _name_files(draft, row, signature, photo)
    carrier = said(fact.carrier, row.carrier)
    draft.put(SHIPMENT_TERMS, replace(row, carrier=carrier, handed_paper_hash=signature, handed_photo_hash=photo))


def _name_files(draft: Draft, row: ShipmentTerms, *hashes: str) -> None:
    for file_hash in hashes:
        if file_hash:
            draft.put(FILES, FileNamed(circle=row.circle, file_hash=file_hash, order_id=row.order_id))


@circle_rule(Receive)
def keep_receipt(draft: Draft, fact: Receive) -> None:
    """When it arrived (not after now, nor before its dispatch), what was good, and which promises were kept.

    Refuses: orders.no_terms.
    """
    row = _shipment_terms(draft, fact.circle, fact.shipment)
    lacks = tuple(Lack(part.line, part.reason) for part in fact.lines if part.reason)
    arrived = _between(row.shipped_at, said(fact.arrived_at, 0) or draft.now, draft.now)
    signature, photo = said(fact.signature_hash, ""), said(fact.photo_hash, "")
    _name_files(draft, row, signature, photo)
    row = replace(row, lacks=lacks, paper_hash=signature, photo_hash=photo)
    _measure(draft, row, arrived)


def _measure(draft: Draft, row: ShipmentTerms, arrived_at: int) -> None:
    """Write a receipt's measure. Good ones fill a line's slices in their order; a slice whole and in time is kept."""
    shipment = _public(draft, row.shipment)
    good = {line.line: line.received - line.over for line in shipment.lines}
    slices = []
    for part in row.slices:
        got = min(part.each, good[part.line])
        good[part.line] -= got
        kept = got == part.each and part.promised_at > 0 and arrived_at <= part.promised_at
        slices.append(replace(part, good=got, kept=kept))
    after = replace(
        row,
        arrived_at=arrived_at,
        slices=tuple(slices),
        slices_n=len(slices),
        dated_n=sum(1 for part in slices if part.promised_at),
        kept_n=sum(1 for part in slices if part.kept),
    )
    draft.put(SHIPMENT_TERMS, after)
    terms = terms_of(draft, row.circle, row.order_id)
    if after.dated_n:
        _count(draft, terms, after, bool(terms.side) or shipment.method == DEEMED)
    draft.tell(
        DeliveryKnown(
            row.circle,
            row.order_id,
            row.shipment,
            terms.buyer,
            terms.seller,
            terms.currency,
            shipment.method,
            bool(terms.side),
            row.shipped_at,
            arrived_at,
            after.slices,
        )
    )


def _count(draft: Draft, terms: OrderTerms, row: ShipmentTerms, unproven: bool) -> None:
    """Add a shipment, which is measured once, to its day, so that a firm's figures need no look at every shipment."""
    day = row.arrived_at // DAY_SECONDS
    found = draft.get(KEPT_DAYS, row.circle, day, terms.buyer, terms.seller, unproven) or KeptDay(
        circle=row.circle, day=day, buyer=terms.buyer, seller=terms.seller, unproven=unproven
    )
    after = replace(found, dated_n=found.dated_n + row.dated_n, kept_n=found.kept_n + row.kept_n)
    draft.put(KEPT_DAYS, after)


@circle_timer(DEEMED_RECEIVED)
def measure_deemed(draft: Draft, due: Timer) -> None:
    """A deemed receipt counts as arrived when it was stated to arrive, or when it was shipped."""
    shipment, row = _public(draft, due.args[0]), draft.get(SHIPMENT_TERMS, due.circle, due.args[0])
    if row is not None and not row.slices_n:
        _measure(draft, row, _between(row.shipped_at, shipment.arrive_by, draft.now))


@circle_rule(Contest)
def keep_contest(draft: Draft, fact: Contest) -> None:
    """Refuses, in order: orders.no_terms, orders.missing_terms."""
    row = _shipment_terms(draft, fact.circle, fact.shipment)
    require(fact.reason, "orders.missing_terms", "say what was different")
    draft.put(SHIPMENT_TERMS, replace(row, contest=fact.reason))


@circle_rule(ReturnGoods)
def keep_return(draft: Draft, fact: ReturnGoods) -> None:
    """Refuses: orders.no_terms."""
    row = _shipment_terms(draft, fact.circle, fact.shipment)
    draft.put(
        RETURN_TERMS,
        ReturnTerms(circle=fact.circle, return_id=fact.return_id, order_id=row.order_id, reason=said(fact.reason, "")),
    )


@circle_rule(AcceptReturn)
def keep_accepted(draft: Draft, fact: AcceptReturn) -> None:
    """What came back is told with its delivery's prices, the last slices first. Refuses: orders.no_terms."""
    returned = draft.get(RETURNS, fact.return_id)
    assert returned is not None, "the public rule has accepted it"
    row = _shipment_terms(draft, fact.circle, returned.shipment)
    known = draft.get(RETURN_TERMS, fact.circle, fact.return_id)
    if known is not None:
        draft.put(RETURN_TERMS, replace(known, answer=said(fact.note, "")))
    slices, back = _take_back(row.slices, returned)
    draft.put(SHIPMENT_TERMS, replace(row, slices=slices))
    if back:
        terms: OrderTerms = terms_of(draft, fact.circle, row.order_id)
        draft.tell(ReturnKnown(fact.circle, row.order_id, fact.return_id, terms.currency, back))


def _take_back(
    slices: tuple[ShippedSlice, ...], returned: Return
) -> tuple[tuple[ShippedSlice, ...], tuple[tuple[int, int, str, int], ...]]:
    left = {line.line: line.accepted for line in returned.lines}
    out: list[ShippedSlice] = []
    back: list[tuple[int, int, str, int]] = []
    for part in reversed(slices):
        each = min(part.each - part.returned, left.get(part.line, 0))
        if each:
            left[part.line] -= each
            back.append((part.line, each, part.item, part.unit_price_minor))
        out.append(replace(part, returned=part.returned + each))
    return tuple(reversed(out)), tuple(back)


@circle_timer(RETURN_UNANSWERED)
def return_without_answer(draft: Draft, due: Timer) -> None:
    """Nobody answered: the terms say so."""
    known = draft.get(RETURN_TERMS, due.circle, due.args[0])
    returned = draft.get(RETURNS, due.args[0])
    if known is not None and returned is not None and returned.state == "unanswered":
        draft.put(RETURN_TERMS, replace(known, answer="unanswered"))


@circle_rule(Rate)
def keep_rating(draft: Draft, fact: Rate) -> None:
    """A score, beside what was measured. Refuses, in order: orders.no_terms, orders.missing_terms."""
    row = _shipment_terms(draft, fact.circle, fact.shipment)
    require(isinstance(fact.score, int), "orders.missing_terms", "a rating has a score")
    each, good = sum(part.each for part in row.slices), sum(part.good for part in row.slices)
    terms = terms_of(draft, fact.circle, row.order_id)
    rating = Rating(
        circle=fact.circle,
        shipment=fact.shipment,
        order_id=row.order_id,
        score=fact.score,
        comment=said(fact.comment, ""),
        good_ppm=good * PPM // each if each else -1,
        kept_ppm=row.kept_n * PPM // row.dated_n if row.dated_n else -1,
        at=draft.now,
    )
    draft.put(RATINGS, rating)
    assert party_behind(draft, draft.signer) == terms.buyer, "the public rule has checked it"
    draft.tell(
        RatingKnown(
            fact.circle,
            row.order_id,
            fact.shipment,
            terms.buyer,
            terms.seller,
            fact.score,
            rating.good_ppm,
            rating.kept_ppm,
        )
    )
