"""What parties sign about plans. What state holds of them stands in `rows.py` and `private_rows.py`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from hanse.kernel.facts import WITHHELD, Commercial, Currency, Fact, Hash, Id, Minor, Part, Seconds, Text

LINES_PER_PART_MAX = 300
OFFERS_PER_PART_MAX = 1_000
ASSIGNMENTS_PER_PART_MAX = 1_000
PARTS_MAX = 1_000
SCALE_MAX = 1024
CUTS_PER_PART_MAX = 500
ENTRIES_PER_CUT_MAX = 2_000

LineNo = Annotated[int, Meta(ge=1, le=10_000_000)]
"""A line's number within its window."""
COUNTED_MAX = 2**40
"""Each that a plan counts of one source or one line."""
Some = Annotated[int, Meta(ge=1, le=COUNTED_MAX)]
PartNo = Annotated[int, Meta(ge=2, le=PARTS_MAX)]
PartCount = Annotated[int, Meta(ge=1, le=PARTS_MAX)]
Scaled = Annotated[int, Meta(ge=-(2**61), le=2**61)]
"""Minor units x scale."""
Price = Annotated[int, Meta(ge=0, le=2**60)]
"""Of one each of a source, minor units x scale."""
Source = Annotated[str, Meta(min_length=1, max_length=200)]
"""An offer's id, or `own/NUMBER/SITE` for own stock."""
Assignments = Annotated[list[tuple[LineNo, Id, Some]], Meta(max_length=ASSIGNMENTS_PER_PART_MAX)]
"""(line, offer, each)"""
Prices = Annotated[list[tuple[Id, Price]], Meta(max_length=ASSIGNMENTS_PER_PART_MAX)]
"""(offer, price); an offer not named has the price 0."""


class Option(Struct, frozen=True, array_like=True):
    """One way to serve a line.

    place: where a shipment leaves from; an order pays `open_minor` once for each place that serves it.
    cost_minor: of one each: price, freight by weight and distance, lateness.
    """

    source: Source
    place: Text
    cost_minor: Minor
    open_minor: Annotated[int, Meta(ge=0, le=2**50)]


class PlanLine(Part, frozen=True, kw_only=True):
    """One open line. `order`: lines of one number ship together; `reference`: what is served, as `want:W1`, `PO-1/2`.

    `penalty_minor`: cost of one each left unserved. `whole`: from one place or not at all.
    """

    line: LineNo
    order: LineNo
    reference: Text
    item: Id
    each: Some
    penalty_minor: Annotated[int, Meta(ge=0, le=2**50)]
    whole: bool = False
    options: Annotated[list[Option], Meta(max_length=64)] = []


class OwnStock(Struct, frozen=True, array_like=True):
    """Own stock that a firm's own plan may use: known at home only."""

    source: Source
    item: Id
    each: Annotated[int, Meta(ge=0, le=COUNTED_MAX)]


class PlanCut(Struct, frozen=True, array_like=True):
    """What every plan keeps because a source does not divide into whole lines; see `hanse.planning.sourcing.cuts`.

    price: minor units x scale, of one each. entries: (line, source, kind 0 MAY, 1 OPEN, 2 SERVED, 3 ELSE).
    """

    source: Source
    step: Annotated[int, Meta(ge=1, le=2**40)]
    price: Annotated[int, Meta(ge=1, le=2**49)]
    entries: Annotated[
        list[tuple[LineNo, Source, Annotated[int, Meta(ge=0, le=3)]]], Meta(max_length=ENTRIES_PER_CUT_MAX)
    ]


Cuts = Annotated[list[PlanCut], Meta(max_length=CUTS_PER_PART_MAX)]
CutPrices = Annotated[list[tuple[Source, Price]], Meta(max_length=5_000)]


Lines = Annotated[list[PlanLine], Meta(max_length=LINES_PER_PART_MAX)]
Offers = Annotated[list[Id], Meta(max_length=OFFERS_PER_PART_MAX)]


class OpenWindow(Fact, frozen=True, kw_only=True):
    """Ask for plans until `ends_at`.

    Public: `problem`: hex SHA-256 over all parts' lines (see `rules.lines_hash`); `parts`: this fact is the first;
    `offers`: those that the lines may draw on. Commercial: the lines with their costs; own stock (in a home only).
    """

    kind: ClassVar[str] = "plans.open"
    circle: Id
    window: Id
    ends_at: Seconds
    problem: Hash
    parts: PartCount = 1
    offers: Offers = []
    lines: Commercial[Lines] = WITHHELD
    own_stock: Commercial[Annotated[list[OwnStock], Meta(max_length=2_000)]] = WITHHELD
    shipments_max: Commercial[Annotated[int, Meta(ge=1, le=100)]] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    about: Commercial[Text] = WITHHELD


class AddLines(Fact, frozen=True, kw_only=True):
    """A further part of a window's question, in order."""

    kind: ClassVar[str] = "plans.add_lines"
    circle: Id
    window: Id
    part: PartNo
    offers: Offers = []
    lines: Commercial[Lines] = WITHHELD
    own_stock: Commercial[Annotated[list[OwnStock], Meta(max_length=2_000)]] = WITHHELD


class Propose(Fact, frozen=True, kw_only=True):
    """A plan, or its first part.

    Public: assignments and prices of offers; `plan_hash` over both, of all parts (see `rules.plan_hash`); what it
    claims: cost, bound x scale, gap; `certificate`: the digest of `hanse.planning.sourcing.certificate`.
    Commercial: (line, source, each) and (source, price) of own stock. `cuts`, with `cut_prices` of all sources: where
    there are any, they prove the bound, and `prices` are bid prices alone. They tell lines' quantities and options.
    """

    kind: ClassVar[str] = "plans.propose"
    circle: Id
    window: Id
    plan: Id
    plan_hash: Hash
    certificate: Hash
    scale: Annotated[int, Meta(ge=1, le=SCALE_MAX)]
    bound_scaled: Scaled
    cost_minor: Minor
    gap_ppm: Annotated[int, Meta(ge=0, le=2**62)]
    parts: PartCount = 1
    assignments: Assignments = []
    prices: Prices = []
    own_assignments: Commercial[Annotated[list[tuple[LineNo, Source, Some]], Meta(max_length=5_000)]] = WITHHELD
    own_prices: Commercial[Annotated[list[tuple[Source, Price]], Meta(max_length=5_000)]] = WITHHELD
    cuts: Commercial[Cuts] = WITHHELD
    cut_prices: Commercial[CutPrices] = WITHHELD


class AddAssignments(Fact, frozen=True, kw_only=True):
    """A further part of a plan, in order."""

    kind: ClassVar[str] = "plans.add_assignments"
    circle: Id
    plan: Id
    part: PartNo
    assignments: Assignments = []
    prices: Prices = []
    own_assignments: Commercial[Annotated[list[tuple[LineNo, Source, Some]], Meta(max_length=5_000)]] = WITHHELD
    own_prices: Commercial[Annotated[list[tuple[Source, Price]], Meta(max_length=5_000)]] = WITHHELD
    cuts: Commercial[Cuts] = WITHHELD
    cut_prices: Commercial[CutPrices] = WITHHELD


class Attest(Fact, frozen=True, kw_only=True):
    """A reader of the costs has recomputed a plan. `bound_scaled`: what its prices prove; `faults`: why it is bad."""

    kind: ClassVar[str] = "plans.attest"
    single: ClassVar[bool] = True
    circle: Id
    plan: Id
    good: bool
    bound_scaled: Scaled
    faults: Commercial[Annotated[str, Meta(max_length=4_000)]] = WITHHELD


class WithdrawPlan(Fact, frozen=True, kw_only=True):
    """The planner takes its plan back, before the window ends."""

    kind: ClassVar[str] = "plans.withdraw"
    circle: Id
    plan: Id


class SetRule(Fact, frozen=True, kw_only=True):
    """What a firm accepts of its replenishment proposals without looking at each; the same id again changes it.

    Commercial: `seller`: part of the name of whom it buys from, "" anybody; `source_kind`: offers, rounds of its
    groups, its supplier so far, or goods lent to it; "" all but loans; `line_max_minor`, `total_max_minor`: of one
    line, and of all that are accepted at once, at most.
    """

    kind: ClassVar[str] = "plans.set_rule"
    circle: Id
    rule: Id
    seller: Commercial[Text] = WITHHELD
    source_kind: Commercial[Literal["", "offer", "round", "supplier", "loan"]] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    line_max_minor: Commercial[Annotated[int, Meta(ge=0, le=2**50)]] = WITHHELD
    total_max_minor: Commercial[Annotated[int, Meta(ge=0, le=2**50)]] = WITHHELD


class EndRule(Fact, frozen=True, kw_only=True):
    """A rule for accepting no longer holds."""

    kind: ClassVar[str] = "plans.end_rule"
    circle: Id
    rule: Id
