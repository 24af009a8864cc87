"""Questions about windows and plans, as far as the reader's circles reach."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.catalog.queries import short_name
from hanse.rooms.inventory.offer_facts import OFFER_TERMS, OFFERS
from hanse.rooms.parties.facts import CIRCLES, PARTIES
from hanse.rooms.parties.queries import circle_card, party_behind
from hanse.rooms.plans.costs import CostMade, cost_made
from hanse.rooms.plans.next_best import NextBest, Others
from hanse.rooms.plans.private_rows import CUT_PARTS, LINES, OWN_PARTS, QUESTIONS, VERDICTS, LineRow, Question
from hanse.rooms.plans.rows import (
    ASSIGNED,
    ATTESTED,
    DRAWN,
    PLANS,
    SOURCES,
    STANDINGS,
    WINDOWS,
    PlanRow,
    Window,
)

OWN = "own/"


class PlanLineRow(Struct, frozen=True):
    """One plan in a list. `mine`: the reader proposed it. `circle_name`: as its parties call it."""

    plan: str
    window: str
    circle: str
    circle_name: str
    planner_name: str
    mine: bool
    state: str
    best: bool
    lines: int
    cost_minor: int
    bound_minor: int
    gap_ppm: int
    currency: str
    good: int
    bad: int
    refused: int
    proposed_at: int
    ends_at: int
    position: int


class Part(Struct, frozen=True):
    """What serves part of a line. `refused`: why it does not stand, "" where it does."""

    source: str
    source_name: str
    place: str
    each: int
    cost_minor: int
    refused: str = ""


class Served(Struct, frozen=True):
    """One line with its sources. `short_each`: unserved. `next_best`: None where nobody else has that much left."""

    line: int
    order_no: int
    reference: str
    item: str
    item_name: str
    each: int
    parts: tuple[Part, ...]
    short_each: int
    penalty_minor: int
    next_best: NextBest | None


class Scarce(Struct, frozen=True):
    """A source with a price: what one more each of it would be worth, minor units x scale."""

    source: str
    source_name: str
    item: str
    item_name: str
    each: int
    drawn_each: int
    price_scaled: int
    scale: int

    @property
    def price_minor(self) -> int:
        """Rounded half up."""
        return (2 * self.price_scaled + self.scale) // (2 * self.scale)


class AttestedBy(Struct, frozen=True):
    name: str
    good: bool
    bound_scaled: int
    faults: str
    at: int
    position: int


class PlanPage(Struct, frozen=True):
    """Everything of one plan that its circle may see. cuts_n: cuts that prove its bound; 0: its prices do."""

    row: PlanRow
    window: Window
    question: Question
    planner_name: str
    circle_name: str
    served: tuple[Served, ...]
    scarce: tuple[Scarce, ...]
    attested: tuple[AttestedBy, ...]
    rivals: tuple[PlanLineRow, ...]
    asked_each: int
    served_each: int
    cuts_n: int
    cost: CostMade


def _party_name(view: View, circle: str, alias: str) -> str:
    party = party_behind(view, circle, alias)
    row = view.get(PARTIES, party) if party else None
    return row.name if row else alias


def circle_name(view: View, circle: str) -> str:
    """As its parties call it; "own plan" for the reader's home."""
    if circle == view.home:
        return "own plan"
    card = circle_card(view, circle)
    return card.name if card else circle


def plans(view: View, *, window: str = "", limit: int = 200) -> list[PlanLineRow]:
    """The plans of the reader's circles, the newest first; of one window, or all."""
    marks = ", ".join("?" * len(view.circles))
    where, values = f"circle IN ({marks})", tuple(view.circles)
    if window:
        where, values = where + " AND window = ?", (*values, window)
    rows = view.rows(PLANS, where, values, order="proposed_at DESC, plan", limit=limit) if view.circles else []
    return [found for row in rows if (found := _listed(view, row)) is not None]


def _listed(view: View, row: PlanRow) -> PlanLineRow | None:
    window = view.get(WINDOWS, row.window)
    asked = view.get(QUESTIONS, row.circle, row.window)
    if window is None or asked is None:
        return None
    return PlanLineRow(
        plan=row.plan,
        window=row.window,
        circle=row.circle,
        circle_name=circle_name(view, row.circle),
        planner_name=_party_name(view, row.circle, row.planner),
        mine=party_behind(view, row.circle, row.planner) == view.party,
        state=row.state,
        best=window.best == row.plan,
        lines=view.count(LINES, "circle = ? AND window = ?", (row.circle, row.window)),
        cost_minor=row.cost_minor,
        bound_minor=row.bound_minor,
        gap_ppm=row.gap_ppm,
        currency=asked.currency,
        good=row.good,
        bad=row.bad,
        refused=len(row.refused),
        proposed_at=row.proposed_at,
        ends_at=window.ends_at,
        position=row.position,
    )


def plan_page(view: View, plan: str) -> PlanPage | None:
    """A plan with its lines; None for those outside its circle, as if there were none."""
    row = view.get(PLANS, plan)
    window = view.get(WINDOWS, row.window) if row else None
    asked = view.get(QUESTIONS, row.circle, row.window) if row else None
    if row is None or window is None or asked is None:
        return None
    names = _Names(view, row.circle)
    served = tuple(_served(view, row, asked, names))
    return PlanPage(
        row=row,
        window=window,
        question=asked,
        planner_name=_party_name(view, row.circle, row.planner),
        circle_name=circle_name(view, row.circle),
        served=served,
        scarce=tuple(_scarce(view, row, asked, served, names)),
        attested=tuple(_attested(view, row)),
        rivals=tuple(one for one in plans(view, window=row.window) if one.plan != plan),
        asked_each=sum(line.each for line in served),
        served_each=sum(line.each - line.short_each for line in served),
        cuts_n=sum(len(p.cuts) for p in view.rows(CUT_PARTS, "circle = ? AND plan = ?", (row.circle, row.plan))),
        cost=cost_made(
            window_lines(view, row.circle, row.window),
            {one.line: [(part.source, part.each) for part in one.parts] for one in served},
        ),
    )


class _Names:
    """Names of items and of sources' owners, each looked up once."""

    def __init__(self, view: View, circle: str) -> None:
        self.view, self.circle = view, circle
        self._items: dict[str, str] = {}
        self._sources: dict[str, str] = {}

    def item(self, item: str) -> str:
        if item not in self._items:
            self._items[item] = short_name(self.view, item) or item
        return self._items[item]

    def source(self, source: str) -> str:
        if source not in self._sources:
            self._sources[source] = "own stock" if source.startswith(OWN) else self._owner(source)
        return self._sources[source]

    def _owner(self, offer: str) -> str:
        row = self.view.get(OFFERS, offer)
        terms = self.view.get(OFFER_TERMS, row.circle, offer) if row else None
        party = self.view.get(PARTIES, terms.party) if terms else None
        return party.name if party else offer


def _taken(view: View, row: PlanRow) -> dict[int, list[tuple[str, int]]]:
    """line -> (source, each), offers and own stock."""
    found: dict[int, list[tuple[str, int]]] = {}
    for one in view.rows(ASSIGNED, "plan = ?", (row.plan,), limit=1_000_000):
        found.setdefault(one.line, []).append((one.offer, one.each))
    for part in view.rows(OWN_PARTS, "circle = ? AND plan = ?", (row.circle, row.plan), limit=1_000_000):
        for line, source, each in part.assignments:
            found.setdefault(line, []).append((source, each))
    return found


def window_lines(view: View, circle: str, window: str) -> list[LineRow]:
    """The lines of a window in order of number."""
    return view.rows(LINES, "circle = ? AND window = ?", (circle, window), order="line", limit=1_000_000)


def _held(view: View, row: PlanRow, asked: Question) -> dict[str, int]:
    """source -> each that the question has of it."""
    held = {one.source: one.each for one in asked.own_stock}
    return held | {one.offer: one.each for one in view.rows(SOURCES, "window = ?", (row.window,), limit=1_000_000)}


def _served(view: View, row: PlanRow, asked: Question, names: _Names) -> list[Served]:
    taken = _taken(view, row)
    lines = window_lines(view, row.circle, row.window)
    others = Others(lines, taken, _held(view, row, asked), names.source)
    why = {(one.line, one.offer): one.why for one in row.refused}
    out = []
    for line in lines:
        costs = {option.source: option for option in line.options}
        parts = tuple(
            Part(
                source=source,
                source_name=names.source(source),
                place=costs[source].place if source in costs else "",
                each=each,
                cost_minor=each * costs[source].cost_minor if source in costs else 0,
                refused=why.get((line.line, source), ""),
            )
            for source, each in sorted(taken.get(line.line, ()))
        )
        out.append(
            Served(
                line=line.line,
                order_no=line.order_no,
                reference=line.reference,
                item=line.item,
                item_name=names.item(line.item),
                each=line.each,
                parts=parts,
                short_each=line.each - sum(part.each for part in parts),
                penalty_minor=line.penalty_minor,
                next_best=others.next_best(line),
            )
        )
    return out


def _scarce(view: View, row: PlanRow, asked: Question, served: tuple[Served, ...], names: _Names) -> list[Scarce]:
    """Sources with a price above zero, the dearest first."""
    drawn: dict[str, int] = {}
    for line in served:
        for part in line.parts:
            drawn[part.source] = drawn.get(part.source, 0) + part.each
    prices = {one.offer: one.price_scaled for one in view.rows(DRAWN, "plan = ?", (row.plan,), limit=1_000_000)}
    for own in view.rows(OWN_PARTS, "circle = ? AND plan = ?", (row.circle, row.plan), limit=1_000_000):
        prices |= dict(own.prices)
    held = _held(view, row, asked)
    item_of = {
        option.source: line.item for line in window_lines(view, row.circle, row.window) for option in line.options
    }
    found = [
        Scarce(
            source=source,
            source_name=names.source(source),
            item=item_of.get(source, ""),
            item_name=names.item(item_of.get(source, "")),
            each=held.get(source, 0),
            drawn_each=drawn.get(source, 0),
            price_scaled=price,
            scale=row.scale,
        )
        for source, price in prices.items()
        if price > 0
    ]
    return sorted(found, key=lambda one: (-one.price_scaled, one.source))


def _attested(view: View, row: PlanRow) -> list[AttestedBy]:
    out = []
    for one in view.rows(ATTESTED, "plan = ?", (row.plan,), limit=1_000):
        verdict = view.get(VERDICTS, row.circle, row.plan, one.alias)
        out.append(
            AttestedBy(
                name=_party_name(view, row.circle, one.alias),
                good=one.good,
                bound_scaled=one.bound_scaled,
                faults=verdict.faults if verdict else "",
                at=one.at,
                position=one.position,
            )
        )
    return out


def bid_prices(view: View, sources: Iterable[str] | None = None) -> dict[str, int]:
    """source -> what one each is worth to later orders, minor units: prices of the last winning plans of the reader's
    circles, the highest where two name one source. Empty where no plan has won.

    Args:
        sources: offers, and own stock as `own/NUMBER/SITE`, by which to ask; None: all that have a price.
    """
    found: dict[str, int] = {}
    asked = None if sources is None else sorted(set(sources))
    for circle in view.circles:
        standing = view.get(STANDINGS, circle)
        plan = view.get(PLANS, standing.plan) if standing else None
        if plan is None:
            continue
        for source, scaled in _priced(view, plan, asked):
            price = (2 * scaled + plan.scale) // (2 * plan.scale)
            if price > found.get(source, 0):
                found[source] = price
    return found


def _priced(view: View, plan: PlanRow, asked: list[str] | None) -> list[tuple[str, int]]:
    """(source, price x scale) of a plan, of those asked for."""
    if asked is None:
        drawn = view.rows(DRAWN, "plan = ?", (plan.plan,), limit=1_000_000)
    else:
        drawn = [row for source in asked if (row := view.get(DRAWN, plan.plan, source)) is not None]
    rows = [(one.offer, one.price_scaled) for one in drawn]
    if asked is None or any(source.startswith(OWN) for source in asked):
        for part in view.rows(OWN_PARTS, "circle = ? AND plan = ?", (plan.circle, plan.plan), limit=1_000_000):
            rows += [one for one in part.prices if asked is None or one[0] in asked]
    return rows


def open_windows(view: View) -> list[Window]:
    """Windows of the reader's circles that still take plans, the one that ends first, first."""
    marks = ", ".join("?" * len(view.circles))
    if not view.circles:
        return []
    where = f"circle IN ({marks}) AND state = 'open'"
    return view.rows(WINDOWS, where, view.circles, order="ends_at, window", limit=200)


def planning_circles(view: View) -> list[tuple[str, str]]:
    """(circle, name) in which the reader may plan: its home, then its groups."""
    found = [(view.home, "own orders")] if view.home else []
    for circle in view.circles:
        row = view.get(CIRCLES, circle)
        if row is not None and row.purpose == "group":
            found.append((circle, circle_name(view, circle)))
    return found
