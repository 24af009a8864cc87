"""From quantities to a plan that says of every line: from where, what else there was, and why not."""

from __future__ import annotations

from collections.abc import Callable

from hanse.planning.promise.model import SCALE
from hanse.planning.promise.plan import LinePlan, NextBest, Plan, ServedPart, ShipmentPlan
from hanse.planning.promise.problem import Carried, Chosen, Drawn, Option, Problem, carry, drawn_by_source


def half_even(amount: int, by: int = SCALE) -> int:
    """`amount / by`, rounded half to even.

    >>> [half_even(n, 2) for n in (1, 3, 5, -1)]
    [0, 2, 2, 0]
    """
    whole, rest = divmod(amount, by)
    return whole + (2 * rest > by or (2 * rest == by and whole % 2 == 1))


def describe(problem: Problem, chosen: Chosen) -> Plan:
    """The plan of the chosen quantities."""
    drawn = drawn_by_source(problem, chosen.each)
    carried = {}
    for source, units in sorted(drawn.items()):
        shipment = carry(problem.reaches[source], units, problem.policy)
        assert shipment is not None, "it was chosen with it"
        carried[source] = shipment
    shipments = tuple(_shipment(problem, source, carried[source], drawn[source]) for source in carried)
    lines = tuple(_line(problem, chosen, carried, at) for at in range(len(problem.needs)))
    late = problem.policy.late_minor * sum(
        option.late_days(carried[source].leg) * n for source, units in drawn.items() for option, n in units
    )
    return Plan(
        lines=lines,
        shipments=shipments,
        goods_minor=sum(part.goods_minor for line in lines for part in line.parts),
        freight_minor=sum(shipment.freight_minor for shipment in shipments),
        split_minor=max(0, len(shipments) - 1) * problem.policy.split_minor,
        late_minor=late,
        exact=chosen.exact,
    )


def _shipment(problem: Problem, source: str, carried: Carried, drawn: Drawn) -> ShipmentPlan:
    return ShipmentPlan(
        source=source,
        distance_m=problem.reaches[source].distance_m,
        weight_g=carried.weight_g,
        freight_minor=half_even(carried.leg.cost(carried.weight_g)),
        arrives_in_days=max(option.candidate.lead_time_days for option, _ in drawn) + carried.leg.transit_days,
        carrier=carried.leg.carrier,
    )


def _line(problem: Problem, chosen: Chosen, carried: dict[str, Carried], at: int) -> LinePlan:
    need, options, row = problem.needs[at], problem.options[at], chosen.each[at]
    parts = tuple(
        ServedPart(
            offer=option.candidate.offer,
            source=option.reach.source,
            each=each,
            unit_price_minor=option.candidate.unit_price_minor,
            goods_minor=option.candidate.unit_price_minor * each,
            arrives_in_days=option.candidate.lead_time_days + carried[option.reach.source].leg.transit_days,
            late_days=option.late_days(carried[option.reach.source].leg),
        )
        for option, each in zip(options, row, strict=True)
        if each
    )
    unserved = need.each - sum(row)
    reason = _reason(problem, chosen, at, unserved)
    other = _next_best(problem, chosen, carried, at) if parts else None
    return LinePlan(need.line, need.each, parts, unserved, reason, other, sentence(need.line, parts, reason, other))


def _reason(problem: Problem, chosen: Chosen, at: int, unserved: int) -> str:
    """Why a line is not served whole: the first of these that holds."""
    if not unserved:
        return ""
    options, blocked = problem.options[at], problem.reasons[at]
    if not options:
        if not blocked:
            return "nobody offers this item to you"
        return "; ".join(f"{offer}: {why}" for offer, why in sorted(blocked.items())[:3])
    opened = _opened(problem, chosen)
    more = [o for o in options if o.reach.source not in opened]
    if more and len(opened) >= problem.policy.sources_max:
        return f"{unserved} each: an order ships from at most {problem.policy.sources_max} sources"
    available = sum(option.candidate.available_each for option in options)
    if available < problem.needs[at].each:
        return f"{unserved} each: only {available} each are offered to you"
    shared = any(o.candidate.item == problem.needs[k].item for k in range(at) for o in options)
    if shared:
        return f"{unserved} each: an earlier line of this order takes the same stock"
    return f"{unserved} each: the offers' packs or smallest quantities do not make up the rest"


def _opened(problem: Problem, chosen: Chosen) -> dict[str, set[int]]:
    """source -> the needs that it serves."""
    opened: dict[str, set[int]] = {}
    for at, (options, row) in enumerate(zip(problem.options, chosen.each, strict=True)):
        for option, each in zip(options, row, strict=True):
            if each:
                opened.setdefault(option.reach.source, set()).add(at)
    return opened


def _next_best(problem: Problem, chosen: Chosen, carried: dict[str, Carried], at: int) -> NextBest | None:
    """The cheapest other offer that could serve what is served of this line, nothing else changed."""
    options, row = problem.options[at], chosen.each[at]
    served = sum(row)
    mine = [option for option, each in zip(options, row, strict=True) if each]
    others = drawn_by_source(problem, [(0,) * len(r) if k == at else r for k, r in enumerate(chosen.each)])
    left: dict[str, int] = {}  # what each source of this line is charged without it
    for source in {option.reach.source for option in mine}:
        shipment = carry(problem.reaches[source], others[source], problem.policy) if source in others else None
        left[source] = shipment.charged if shipment is not None else 0
    now = sum(carried[source].charged for source in left)
    drawn = _drawn(problem, chosen, at)
    best: tuple[int, str, Option, Carried] | None = None
    for option in options:
        offer = option.candidate
        fits = served % offer.pack_each == 0 and served >= offer.minimum_each
        if [option] == mine or not fits or served > offer.available_each - drawn.get(offer.offer, 0):
            continue
        source = option.reach.source
        moved = carry(option.reach, [*others.get(source, ()), (option, served)], problem.policy)
        if moved is None:
            continue
        # The first shipment pays no split: a plan that had none, or keeps one, shifts both by the same amount.
        before = now if source in left else now + (carried[source].charged if source in carried else 0)
        extra = moved.charged + sum(charged for name, charged in left.items() if name != source) - before
        if best is None or (extra, offer.offer) < best[:2]:
            best = (extra, offer.offer, option, moved)
    if best is None:
        return None
    extra, _, option, moved = best
    return NextBest(
        offer=option.candidate.offer,
        source=option.reach.source,
        unit_price_minor=option.candidate.unit_price_minor,
        arrives_in_days=option.candidate.lead_time_days + moved.leg.transit_days,
        extra_minor=half_even(extra),
    )


def _drawn(problem: Problem, chosen: Chosen, at: int) -> dict[str, int]:
    """What the other lines draw of each offer."""
    drawn: dict[str, int] = {}
    for k, (options, row) in enumerate(zip(problem.options, chosen.each, strict=True)):
        if k != at:
            for option, each in zip(options, row, strict=True):
                drawn[option.candidate.offer] = drawn.get(option.candidate.offer, 0) + each
    return drawn


def in_minor_units(minor: int) -> str:
    return f"{minor} minor units"


def sentence(
    line: int,
    parts: tuple[ServedPart, ...],
    reason: str,
    other: NextBest | None,
    money: Callable[[int], str] = in_minor_units,
) -> str:
    """One line's explanation, for people. money: how an amount in minor units is written."""
    said = []
    for part in parts:
        late = f", {part.late_days} days late" if part.late_days else ""
        said.append(f"{part.each} each from {part.source} in {part.arrives_in_days} days{late}")
    text = f"line {line}: " + (" and ".join(said) if said else "not served")
    if reason:
        text += f"; {reason}"
    if other is not None:
        more = f"{money(abs(other.extra_minor))} {'more' if other.extra_minor >= 0 else 'less'}"
        text += f"; next best: {other.source} in {other.arrives_in_days} days, {more} in all"
    return text
