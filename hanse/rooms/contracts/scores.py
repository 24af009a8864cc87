"""What scorecards compute: plain figures of plain rows, each with the entries that it rests on.

Shares are parts per million, times and spans seconds, money minor units; -1 where there is nothing to measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import isqrt
from typing import Literal

from msgspec import Struct

PPM = 1_000_000
DAY_SECONDS = 86_400
EVIDENCE_MAX = 50
HALF_LIFE_SECONDS = 365 * DAY_SECONDS
"""A rating counts half as much a year later, a quarter after two."""
RUN = 8
"""So many points on one side of the middle are a signal (Western Electric Company, Statistical Quality Control
Handbook, 1956, rule 4)."""


class Figure(Struct, frozen=True):
    """One figure. value: ppm, seconds, minor units or hundredths, as its name says. n: what it was measured on, of
    which `unproven_n` one side alone has signed. evidence: entries, the latest 50."""

    name: str
    value: int
    n: int
    unproven_n: int = 0
    evidence: tuple[int, ...] = ()

    @property
    def unproven(self) -> bool:
        """Nothing of it is signed by both sides."""
        return self.n > 0 and self.unproven_n == self.n


class Seen(Struct, frozen=True):
    """One thing counted for a share: whether it was good, its entry, whether one side alone signed it. `weight`: how
    much it counts (units, money), 1 for things counted."""

    good: int
    weight: int
    entry: int
    unproven: bool = False


def share(name: str, seen: Sequence[Seen]) -> Figure:
    """The part of the weight that was good, ppm.

    >>> share("otif", [Seen(1, 1, 7), Seen(0, 1, 9), Seen(1, 1, 11)]).value
    666666
    """
    total = sum(one.weight for one in seen)
    value = sum(one.good for one in seen) * PPM // total if total else -1
    return Figure(name, value, len(seen), sum(one.unproven for one in seen), entries(seen))


def entries(seen: Iterable[Seen]) -> tuple[int, ...]:
    """The latest entries, each once."""
    return tuple(sorted({one.entry for one in seen})[-EVIDENCE_MAX:])


def quantile(values: Sequence[int], ppm: int) -> int:
    """The smallest value that at least that part of the values does not exceed; -1 of none.

    Source: Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996, definition 1 (inverse of the empirical
    distribution).

    >>> [quantile([10, 20, 30, 40], q) for q in (100_000, 500_000, 900_000)]
    [10, 20, 40]
    """
    if not values:
        return -1
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * ppm // PPM) - 1)]


class Point(Struct, frozen=True):
    """One point of a control chart. at: UTC seconds. signal: "", "above", "below" (a limit), "run" (the eighth point in
    a row on one side of the middle)."""

    at: int
    value: int
    low: int
    high: int
    signal: Literal["", "above", "below", "run"]
    entry: int
    unproven: bool = False


class Chart(Struct, frozen=True):
    """A control chart: what changed, and what is chance. Limits stand at each point."""

    name: str
    kind: Literal["individuals", "proportion"]
    middle: int
    points: tuple[Point, ...]

    @property
    def signals(self) -> tuple[Point, ...]:
        """Points that chance does not explain."""
        return tuple(point for point in self.points if point.signal)


def individuals(name: str, seen: Sequence[tuple[int, int, int, bool]]) -> Chart:
    """A chart of single values: mean and natural limits at 2.66 mean moving ranges.

    Args:
        seen: (at, value, entry, unproven), in order of time.
    Source: Shewhart, Economic Control of Quality, 1931; the factor 2.66 = 3 / 1.128, Wheeler, Understanding Variation,
    1993, ch. 4.

    >>> [p.signal for p in individuals("x", [(t, v, t, False) for t, v in enumerate([1, 2, 1, 2, 1, 2, 1, 40])]).points]
    ['', '', '', '', '', '', '', 'above']
    """
    if not seen:
        return Chart(name, "individuals", 0, ())
    values = [value for _, value, _, _ in seen]
    middle = _round(sum(values), len(values))
    moves = [abs(b - a) for a, b in pairwise(values)]
    reach = 266 * sum(moves) // (100 * len(moves)) if moves else 0
    return Chart(name, "individuals", middle, _marked(seen, middle, [(middle - reach, middle + reach)] * len(seen)))


def proportions(name: str, seen: Sequence[tuple[int, int, int, int, bool]]) -> Chart:
    """A chart of shares by period, ppm: the overall share and three standard errors of each period's count.

    Args:
        seen: (at, good, all, entry, unproven), in order of time; periods without anything are left out.
    Source: NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.3.2 (p chart).
    """
    kept = [one for one in seen if one[2]]
    total = sum(n for _, _, n, _, _ in kept)
    if not total:
        return Chart(name, "proportion", 0, ())
    middle = sum(good for _, good, _, _, _ in kept) * PPM // total
    limits = []
    for _, _, n, _, _ in kept:
        reach = 3 * isqrt(middle * (PPM - middle) // n)
        limits.append((max(0, middle - reach), min(PPM, middle + reach)))
    values = [(at, good * PPM // n, entry, unproven) for at, good, n, entry, unproven in kept]
    return Chart(name, "proportion", middle, _marked(values, middle, limits))


def _round(total: int, n: int) -> int:
    return (2 * total + n) // (2 * n)


def _marked(
    seen: Sequence[tuple[int, int, int, bool]], middle: int, limits: Sequence[tuple[int, int]]
) -> tuple[Point, ...]:
    out, side, length = [], 0, 0
    for (at, value, entry, unproven), (low, high) in zip(seen, limits, strict=True):
        now = (value > middle) - (value < middle)
        length = length + 1 if now and now == side else int(now != 0)
        side = now
        signal: Literal["", "above", "below", "run"] = ""
        if value > high:
            signal = "above"
        elif value < low:
            signal = "below"
        elif length >= RUN:
            signal = "run"
        out.append(Point(at, value, low, high, signal, entry, unproven))
    return tuple(out)


class Rated(Struct, frozen=True):
    """A rating. score: 1 to 5. evidence_ppm: how far its delivery is proven: 1,000,000 both signed, 500,000 one did."""

    score: int
    at: int
    evidence_ppm: int
    entry: int


def satisfaction(ratings: Sequence[Rated], now: int) -> Figure:
    """The mean score in hundredths, weighted by evidence and age.

    A rating's weight is its evidence times 2^(-age / 1 year), by whole days. Only received deliveries can be rated, by
    their buyer, once; so weight cannot be made by rating more often.

    >>> year = 365 * 86_400
    >>> satisfaction([Rated(5, year, PPM, 1), Rated(2, 0, PPM, 2)], now=year).value
    400
    """
    weights = [_weight(one, now) for one in ratings]
    total = sum(weights)
    value = (
        sum(100 * one.score * weight for one, weight in zip(ratings, weights, strict=True)) // total if total else -1
    )
    found = tuple(sorted(one.entry for one in ratings)[-EVIDENCE_MAX:])
    return Figure("satisfaction", value, len(ratings), sum(one.evidence_ppm < PPM for one in ratings), found)


def _weight(one: Rated, now: int) -> int:
    """The weight in millionths; halved once a year, straight between."""
    years, rest = divmod(max(0, now - one.at), HALF_LIFE_SECONDS)
    if years > 40:
        return 0
    start = one.evidence_ppm >> years
    return start - start * rest // (2 * HALF_LIFE_SECONDS)


class Payment(Struct, frozen=True):
    """An invoice as paid, or not yet. Times UTC seconds; paid_at 0: open. disputed: it was, for a while."""

    invoice: str
    amount_minor: int
    currency: str
    issued_at: int
    due_at: int
    paid_at: int
    entry: int
    disputed: bool = False
    unproven: bool = False


def payer(payments: Sequence[Payment], now: int) -> tuple[tuple[Figure, ...], Chart]:
    """How a customer pays: shares in time by number and money, seconds to pay, seconds beyond terms weighted by money,
    disputes; and the chart of seconds beyond terms, payment by payment.

    Open invoices count as soon as they are overdue, with the delay that they have so far.
    """
    known = [one for one in payments if one.paid_at or one.due_at < now]
    late = {one.invoice: max(0, (one.paid_at or now) - one.due_at) for one in known}
    timely = [Seen(int(not late[one.invoice]), 1, one.entry, one.unproven) for one in known]
    money = [
        Seen(one.amount_minor * (not late[one.invoice]), one.amount_minor, one.entry, one.unproven)
        for one in known
        if one.amount_minor > 0
    ]
    taken = [one.paid_at - one.issued_at for one in known if one.paid_at]
    total = sum(one.amount_minor for one in known if one.amount_minor > 0)
    beyond = sum(late[one.invoice] * one.amount_minor for one in known if one.amount_minor > 0)
    unproven, found = sum(one.unproven for one in known), entries(timely)
    figures = (
        share("paid_in_time", timely),
        share("money_paid_in_time", money),
        Figure("seconds_to_pay_median", quantile(taken, 500_000), len(taken), unproven, found),
        Figure("seconds_beyond_terms_by_money", beyond // total if total else -1, len(known), unproven, found),
        share("disputed", [Seen(int(one.disputed), 1, one.entry, one.unproven) for one in payments]),
    )
    ordered = sorted(known, key=lambda one: (one.paid_at or now, one.invoice))
    points = [(one.paid_at or now, (one.paid_at or now) - one.due_at, one.entry, one.unproven) for one in ordered]
    return figures, individuals("seconds_beyond_terms", points)
