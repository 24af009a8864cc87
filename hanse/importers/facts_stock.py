"""Stock and offers: what lies where, what is kept for own customers, and what others may draw on."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hanse.importers.facts_ids import hidden_id
from hanse.importers.facts_plan import Plan, divide, seconds
from hanse.importers.facts_stage import group_of
from hanse.importers.facts_store import Staged
from hanse.rooms.inventory.facts import MOVEMENTS, POLICIES, STOCK, UNCHANGED_COST, Count, CountLine, SetPolicy, Stock
from hanse.rooms.inventory.offer_facts import Earmark, MakeOffer, WithdrawOffer
from hanse.rooms.parties.facts import SITES
from hanse.rooms.parties.queries import circles, relationship_with

LINES_MAX = 500
_HELD_MAX = 20_000
OFFER_SECONDS = 90 * 86_400
"""How long an offer stands whose row names no end."""
_SUM_MAX = 10**15


class _Counts:
    """Count lines on their way into facts: one fact has one time of counting, and at most 500 lines."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._lines: dict[int, list[tuple[CountLine, list[Staged]]]] = defaultdict(list)
        self._held = self.done = 0

    def add(self, at: int, line: CountLine, rows: list[Staged]) -> None:
        self._lines[at].append((line, rows))
        self._held += 1
        if len(self._lines[at]) == LINES_MAX:
            self._write(at)
        elif self._held >= _HELD_MAX:
            self.close()

    def close(self) -> None:
        for at in sorted(self._lines):
            self._write(at)

    def _write(self, at: int) -> None:
        held = self._lines.pop(at)
        self._held -= len(held)
        self.done += len(held)
        rows = [row for _, more in held for row in more]
        self._plan.add(Count(circle=self._plan.home, lines=[line for line, _ in held], counted_at=at), rows)
        self._plan.told("stock", self.done, 0)


def plan_stock(plan: Plan) -> None:
    """Counts of the stock that is new or changed, bins of one lot at one site together; what is kept back.

    A file that names a lot at a site names all of its bins: one that it leaves out is empty.
    """
    counts = _Counts(plan)
    keep: dict[str, int] = {}
    stood = 0
    for rows in plan.store.whole_groups("stock"):
        values = [row.values for row in rows]
        line = _line(plan, values)
        was = plan.view.get(STOCK, plan.home, line.site, line.own_number, line.lot, "")
        counted = [seconds(row.get("counted_at")) for row in values]
        at = _as_of(plan, was, max(counted) if all(counted) else 0)
        fault = _fault(plan, line, was, at)
        if fault:
            plan.wrong(rows, *fault)
            continue
        if any("reserve_each" in row for row in values):
            keep[line.own_number] = keep.get(line.own_number, 0) + sum(row.get("reserve_each", 0) for row in values)
        if was is not None and _says_the_same(was, line, at):
            stood += 1
        else:
            counts.add(at, line, rows)
    counts.close()
    for number in sorted(keep):
        _keep_back(plan, number, keep[number])
    if stood:
        plan.notes.append(f"{stood} stocks stand on the record as the file says already")


def _line(plan: Plan, values: list[dict[str, Any]]) -> CountLine:
    """What a count says of one lot at one site."""
    each = sum(row["quantity_each"] for row in values)
    worth = sum(row.get("value_minor", 0) for row in values)
    first = values[0]
    cost = divide(worth, each) if worth and each else plan.cost_minor(first["item"])
    return CountLine(
        site=plan.site(first["site"]),
        own_number=first["item"],
        each=each,
        lot=first.get("lot", ""),
        unit_cost_minor=cost if cost >= 0 else UNCHANGED_COST,
    )


def _says_the_same(was: Stock, line: CountLine, at: int) -> bool:
    """Whether the record holds all that a count would say. A file without a date asks for a count of any date."""
    counted = was.counted_at == at if at else was.counted_at > 0
    return counted and was.on_hand_each == line.each and line.unit_cost_minor in (UNCHANGED_COST, was.unit_cost_minor)


def _as_of(plan: Plan, was: Stock | None, at: int) -> int:
    """When a count counts, 0 for now. Where nothing but an earlier count has changed the stock since, that is now: the
    file has the newer word, though the record heard of the earlier one later than its date."""
    if was is None or not at or not was.counted_at <= at < was.changed_at:
        return at
    where = "circle = ? AND own_number = ? AND site = ? AND lot = ? AND owner = ''"
    values = (plan.home, was.own_number, was.site, was.lot)
    last = plan.view.rows(MOVEMENTS, where, values, order="entry DESC, n DESC", limit=1)
    return 0 if last and last[0].reason == "counted" else at


def _fault(plan: Plan, line: CountLine, was: Stock | None, at: int) -> tuple[str, str, object, str, str] | None:
    """Why a count would be refused: (column, code, got, expected, next), in the order of `inventory.stock.count`."""
    if at > plan.now:
        return "counted_at", "inventory.counted_ahead", at, "a time that has come", "correct the date"
    if line.each > _SUM_MAX or len(line.lot) > 80 or len(line.own_number) > 80:
        expected = "numbers of at most 80 signs, quantities below 10^15"
        return "", "row.does_not_fit", line.own_number, expected, "correct it"
    if was is None or not at:
        return None
    if was.counted_at > at:
        return "counted_at", "inventory.older_count", at, f"a count of {was.counted_at} or later", "count it again"
    if was.changed_at > at:
        step = "leave the date out to count it as of now"
        return "counted_at", "inventory.moved_since", at, f"no movement since (it moved at {was.changed_at})", step
    return None


def _keep_back(plan: Plan, number: str, each: int) -> None:
    was = plan.view.get(POLICIES, plan.home, number)
    if was is None or was.keep_each != each:
        plan.add(
            SetPolicy(
                circle=plan.home,
                own_number=number,
                minimum_price_minor=was.minimum_price_minor if was else 0,
                currency=was.currency if was else plan.currency,
                keep_each=each,
            )
        )


# -- offers ----------------------------------------------------------------------------------------------------------


def plan_offers(plan: Plan) -> None:
    """Offers of matched stock to one circle each. A changed row withdraws the earlier offer and makes a new one.

    What stands behind an offer is looked up on the record and among the stock of the same import.
    """
    promised: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in plan.store.staged("offers", fresh=True):
        values = row.values
        number, site, lot = values["item"], plan.site(values["site"]), values.get("lot", "")
        circle = _audience(plan, values.get("audience", ""))
        ends = seconds(values.get("expires_at")) or plan.now + OFFER_SECONDS
        free = _free_each(plan, values) - promised[number, site, lot]
        fault = _offer_fault(plan, values, circle, ends, free)
        if fault:
            plan.wrong([row], *fault)
            continue
        promised[number, site, lot] += values["quantity_each"]
        grp = f"{number}\0{site}\0{lot}"
        earlier = plan.store.said("offer", grp)
        said, _, offered_in = earlier.partition("\0")
        offer = hidden_id(plan.store.salt, "o", grp, *(f"{k}={v}" for k, v in sorted(values.items())), said)
        if said and offered_in:
            plan.add(WithdrawOffer(circle=offered_in, offer=said))
        if _add_offer(plan, values, circle, offer, ends, row):
            plan.store.keep("offer", grp, f"{offer}\0{circle}")


def _audience(plan: Plan, text: str) -> str:
    """The one circle that an offer goes to: a party by id, a group by name; "members" or nothing: the only group, else
    the only relationship. "" where that is none or several."""
    known = circles(plan.view)
    if text and text not in ("members", "customers"):
        named = relationship_with(plan.view, text)
        return named or next((card.circle for card in known if card.purpose == "group" and card.name == text), "")
    for purpose in ("group", "relationship") if text != "customers" else ("relationship",):
        found = [card.circle for card in known if card.purpose == purpose]
        if len(found) == 1:
            return found[0]
        if found:
            return ""
    return ""


def _free_each(plan: Plan, values: dict[str, Any]) -> int:
    site, lot = plan.site(values["site"]), values.get("lot", "")
    was = plan.view.get(STOCK, plan.home, site, values["item"], lot, "")
    bound = was.allocated_each + was.set_aside_each if was else 0
    rows = plan.store.group("stock", group_of("stock", values))
    here = sum(row.values["quantity_each"] for row in rows if row.n) if any(row.n for row in rows) else None
    there = here if here is not None else was.on_hand_each if was else 0
    policy = plan.view.get(POLICIES, plan.home, values["item"])
    return there - bound - (policy.keep_each if policy else 0)


def _offer_fault(
    plan: Plan, values: dict[str, Any], circle: str, ends: int, free: int
) -> tuple[str, str, object, str, str] | None:
    """Why an offer would not come to stand: (column, code, got, expected, next)."""
    if not circle:
        step = "name a partner by its id, or a group by its name"
        return "audience", "offers.which_audience", values.get("audience", ""), "one circle of yours", step
    if not plan.knows_item(values["item"]):
        return "item", "catalog.unknown_own_number", values["item"], "an item of yours", "import your items first"
    if not plan.linked_item(values["item"]):
        step = "match it first: by GTIN, by brand and part number, or in the matching worklist"
        return "item", "inventory.unmatched", values["item"], "an item that is matched", step
    if ends <= plan.now:
        return "expires_at", "inventory.deadline_past", values.get("expires_at"), "a time ahead", "correct the date"
    if not 0 < values["quantity_each"] <= free:
        step = "lower the quantity, or import the stock first"
        return "quantity_each", "inventory.not_enough", values["quantity_each"], f"1 to {max(0, free)} each", step
    price = divide(values["price_minor"], values.get("price_per", 1))
    least = divide(values.get("price_minimum_minor", 0), values.get("price_per", 1))
    policy = plan.view.get(POLICIES, plan.home, values["item"])
    if policy and policy.minimum_price_minor and policy.currency != (values.get("currency") or plan.currency):
        return "currency", "inventory.other_currency", values.get("currency"), policy.currency, "offer in that currency"
    if price < max(least, policy.minimum_price_minor if policy else 0):
        return "price_minor", "inventory.below_minimum", price, "at least your minimum price", "raise the price"
    return None


def _add_offer(plan: Plan, values: dict[str, Any], circle: str, offer: str, ends: int, row: Staged) -> bool:
    number, site = values["item"], plan.site(values["site"])
    place = plan.view.get(SITES, plan.home, site)
    per = values.get("price_per", 1)
    currency = values.get("currency") or plan.currency
    mark = Earmark(
        circle=plan.home,
        offer=offer,
        own_number=number,
        site=site,
        lot=values.get("lot", ""),
        owner="",
        each=values["quantity_each"],
        minimum_price_minor=divide(values.get("price_minimum_minor", 0), per),
        currency=currency,
    )
    make = MakeOffer(
        circle=circle,
        offer=offer,
        each=values["quantity_each"],
        expires_at=ends,
        item=plan.linked_item(number),
        offer_kind="sell",
        country=place.country if place else plan.profile.country,
        city=place.city if place else plan.profile.city,
        latitude_microdeg=place.latitude_microdeg if place else 0,
        longitude_microdeg=place.longitude_microdeg if place else 0,
        unit_price_minor=divide(values["price_minor"], per),
        currency=currency,
        pack_each=1,
        minimum_each=1,
        lead_time_days=0,
        firm=False,
        condition="new",
        lot_expiry_at=0,
    )
    return plan.add(mark) and plan.add(make, [row])
