"""Accepting what replenishment proposes: orders, loans, own transfers and commitments, signed as any are.

accept       the lines and quantities that a person chose
allowed      the lines that the firm's saved rules accept
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from hanse.kernel.refusal import Refused, require
from hanse.kernel.view import View
from hanse.node.buying import CONFIRM_SECONDS, buy, new_name, permit
from hanse.node.desk import Desk
from hanse.node.planning_replenish import LOAN, OFFER, ROUND, SEP, SUPPLIER, Proposal, Source, proposals
from hanse.node.planning_shelf import Shelves, Supplier
from hanse.node.proposing import Choice, Wish, WishLine
from hanse.rooms.group.facts import Commit
from hanse.rooms.group.queries import groups, round_page
from hanse.rooms.group.rows import ROUNDS
from hanse.rooms.inventory.facts import Move
from hanse.rooms.inventory.queries import stock_of_number
from hanse.rooms.orders.facts import DeliverTo, PlaceLine, PlaceOrder
from hanse.rooms.parties.facts import SITES
from hanse.rooms.parties.queries import relationship_with
from hanse.rooms.plans.private_rows import RULES, RuleRow


class Chosen(Struct, frozen=True):
    """What a person, or a rule, accepts of a proposal: from which source, how many. source "": its transfers alone.

    supplier: in place of a source, whom the person names; the order stands in the firm's own book.
    """

    own_number: str
    source: str = ""
    each: int = 0
    transfers: bool = True
    supplier: str = ""


class Accepted(Struct, frozen=True):
    """What was signed: orders placed, loans asked for (orders too), transfers made, commitments; and what single ones
    were refused for."""

    orders: tuple[str, ...] = ()
    loans: tuple[str, ...] = ()
    moved_each: int = 0
    committed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def accept(desk: Desk, found: Shelves, chosen: Sequence[Chosen]) -> Accepted:
    """Sign what was chosen: one order a seller, one loan a lender, transfers between own sites, commitments to rounds.

    What a loan is worth counts to the limit: it is owed until it is back.
    Refuses, in order: plans.nothing_chosen, plans.not_proposed (no longer, or not from there), plans.bad_quantity (not
        one, more than is offered, no whole packs), desk.not_permitted, desk.over_limit (in sum), buying.no_place. What
        single ones are refused for after that is told in `failed`, and leaves the others alone.
    """
    view = desk.view
    require(chosen, "plans.nothing_chosen", "nothing is chosen", next="tick a line")
    known = {one.shelf.own_number: one for one in proposals(view, found, {one.own_number for one in chosen})}
    parts = [_checked(known, one) for one in chosen]
    bought = [part for part in parts if part[1] is not None]
    total = sum(each * source.unit_price_minor for _, source, each in bought if source and source.kind != ROUND)
    if bought:
        permit(desk, total)
    signing = _Signing(desk)
    for one, part in zip(chosen, parts, strict=True):
        if one.transfers:
            signing.move(part[0])
    signing.offers([(p, s, each) for p, s, each in parts if s is not None and s.kind == OFFER], signing.orders)
    signing.offers([(p, s, each) for p, s, each in parts if s is not None and s.kind == LOAN], signing.loans)
    signing.suppliers([(p, s, each) for p, s, each in parts if s is not None and s.kind == SUPPLIER])
    for _, source, each in parts:
        if source is not None and source.kind == ROUND:
            signing.commit(source, each)
    return Accepted(
        tuple(signing.orders), tuple(signing.loans), signing.moved, tuple(signing.committed), tuple(signing.failed)
    )


Part = tuple[Proposal, Source | None, int]


def _checked(known: dict[str, Proposal], one: Chosen) -> Part:
    proposal = known.get(one.own_number)
    if proposal is None:
        raise Refused("plans.not_proposed", "this is not needed any more", got=one.own_number, next="look again")
    shelf = proposal.shelf
    if one.supplier and not one.source:
        named = Source(f"{SUPPLIER}{SEP}{one.supplier}", one.supplier, "named by you", shelf.cost_minor,
                       shelf.currency, one.each)  # fmt: skip
        require(one.each > 0, "plans.bad_quantity", f"{one.own_number}: order at least one", got=one.each)
        return proposal, named, one.each
    if not one.source:
        return proposal, None, 0
    source = next((source for source in proposal.sources if source.key == one.source), None)
    if source is None:
        raise Refused("plans.not_proposed", "it cannot be had from there any more", got=one.source, next="look again")
    fits = one.each > 0 and one.each % source.pack_each == 0 and (not source.upto_each or one.each <= source.upto_each)
    require(fits, "plans.bad_quantity", f"{one.own_number}: whole packs of what is there", got=one.each,
            expected=f"a multiple of {source.pack_each}, <= {source.upto_each or 'any'}")  # fmt: skip
    return proposal, source, one.each


class _Signing:
    """Signs parts one after the other; a refusal is told, and leaves the rest alone."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.orders: list[str] = []
        self.loans: list[str] = []
        self.committed: list[str] = []
        self.failed: list[str] = []
        self.moved = 0

    def _told(self, refused: Refused) -> None:
        self.failed.append(f"{refused.code}: {refused.message}")

    def move(self, proposal: Proposal) -> None:
        """Each transfer out of the site's lots, the fullest first."""
        view, number = self.desk.view, proposal.shelf.own_number
        for transfer in proposal.transfers:
            left = transfer.each
            lots = [r for r in stock_of_number(view, number) if r.site == transfer.from_site and not r.owner]
            for lot in sorted(lots, key=lambda r: (-r.free_each, r.lot)):
                each = min(left, lot.free_each)
                if each <= 0:
                    continue
                try:
                    self.desk.do(Move(circle=view.home, own_number=number, lot=lot.lot, owner="",
                                      from_site=transfer.from_site, to_site=transfer.to_site, each=each))  # fmt: skip
                except Refused as refused:
                    self._told(refused)
                    break
                self.moved += each
                left -= each

    def offers(self, parts: list[Part], placed: list[str]) -> None:
        """One purchase a site and currency, one order a seller; to lend or for sale as the offers say."""
        for (site, currency), mine in _grouped(parts).items():
            chosen = [Choice(n, s.key.partition(SEP)[2], each, s.unit_price_minor) for n, (_, s, each) in mine if s]
            wish = Wish(lines=tuple(WishLine(n, p.shelf.item, each) for n, (p, _, each) in mine),
                        to=_deliver_to(self.desk.view, site), currency=currency)  # fmt: skip
            try:
                bought = buy(self.desk, wish, chosen)
            except Refused as refused:
                self._told(refused)
                continue
            placed += [one.order for one in bought.orders]
            self.failed += [f"{one.seller}: {one.code}: {one.message}" for one in bought.failed]

    def suppliers(self, parts: list[Part]) -> None:
        """One order a supplier: in the relationship with it, or in the own book where it is not in the network."""
        by: dict[tuple[str, str, str], list[Part]] = {}
        for part in parts:
            if part[1] is not None:
                by.setdefault((part[1].key.partition(SEP)[2], part[1].currency, part[0].to_site), []).append(part)
        for (name, currency, site), mine in sorted(by.items()):
            known = next((p.shelf.supplier for p, _, _ in mine if p.shelf.supplier), None)
            same = known is not None and name in (known.party, known.name)
            supplier = known if known is not None and same else Supplier("", name, 0, currency)
            fact = self._order_of(supplier, currency, site, mine)
            try:
                self.desk.do(fact)
                self.orders.append(fact.order)
            except Refused as refused:
                self._told(refused)

    def _order_of(self, supplier: Supplier, currency: str, site: str, parts: list[Part]) -> PlaceOrder:
        view = self.desk.view
        lines = [
            PlaceLine(line=n, each=each, item=p.shelf.item or p.shelf.own_number, own_number=p.shelf.own_number,
                      unit_price_minor=s.unit_price_minor if s else 0, requested_at=0)
            for n, (p, s, each) in enumerate(parts, 1)
        ]  # fmt: skip
        circle = relationship_with(view, supplier.party) if supplier.party else ""
        fact = PlaceOrder(circle=circle or view.home, order=new_name(self.desk, "PO"), lines=lines, currency=currency,
                          deliver_to=_deliver_to(view, site), drop_ship=False)  # fmt: skip
        if not circle:
            return replace(fact, side="buy", counterparty=supplier.name)
        until = max(view.now, int(self.desk.node.clock())) + CONFIRM_SECONDS
        return replace(fact, confirm_by=until, buyer_party=self.desk.who.party, seller_party=supplier.party)

    def commit(self, source: Source, each: int) -> None:
        """Add to what the firm has committed to the round before."""
        view, name = self.desk.view, source.key.partition(SEP)[2]
        row = view.get(ROUNDS, name)
        manager = next((g.terms.manager for g in groups(view) if row and g.terms.circle == row.circle), "")
        page = round_page(view, name)
        before = page.mine.each if page and page.mine else 0
        try:
            circle = relationship_with(view, manager)
            require(circle, "plans.no_relationship", "you have no relationship with the group's manager", got=manager)
            self.desk.do(Commit(circle=circle, round=name, each=before + each, price_max_minor=0))
            self.committed.append(name)
        except Refused as refused:
            self._told(refused)


def _grouped(parts: list[Part]) -> dict[tuple[str, str], list[tuple[int, Part]]]:
    found: dict[tuple[str, str], list[tuple[int, Part]]] = {}
    for part in parts:
        if part[1] is not None:
            mine = found.setdefault((part[0].to_site, part[1].currency), [])
            mine.append((len(mine) + 1, part))
    return found


def _deliver_to(view: View, site: str) -> DeliverTo:
    """The own site, or the first. Refuses: buying.no_place."""
    row = view.get(SITES, view.home, site) if site else None
    row = row or next(iter(view.rows(SITES, "circle = ?", (view.home,), limit=1)), None)
    if row is None:
        raise Refused("buying.no_place", "say where it should go", next="add a site of yours")
    return DeliverTo(site=row.site, country=row.country, city=row.city, latitude_microdeg=row.latitude_microdeg,
                     longitude_microdeg=row.longitude_microdeg)  # fmt: skip


# -- by rule -------------------------------------------------------------------------------------------------------


def rules_of(view: View) -> list[RuleRow]:
    """The firm's saved rules, in order of name."""
    return view.rows(RULES, "circle = ? AND ended = 0", (view.home,), order="rule_id", limit=200)


def allowed(view: View, found: Shelves) -> list[tuple[RuleRow, list[Chosen], int]]:
    """By rule: what it accepts now, and the money of it, minor units. A line goes to the first rule that takes it."""
    left = proposals(view, found)
    out = []
    for rule in rules_of(view):
        chosen, spent, rest = [], 0, []
        for one in left:
            source = next((s for s in one.sources if _takes(rule, s)), None)
            worth = source.each * source.unit_price_minor if source else 0
            fits = source is not None and worth <= rule.line_max_minor and spent + worth <= rule.total_max_minor
            if source is not None and fits:
                chosen.append(Chosen(one.shelf.own_number, source.key, source.each))
                spent += worth
            else:
                rest.append(one)
        left = rest
        out.append((rule, chosen, spent))
    return out


def _takes(rule: RuleRow, source: Source) -> bool:
    """Whether a rule accepts a source: its seller's name, or anybody; its kind; its currency.

    A loan only where the rule says so: it has to be given back.
    """
    who = not rule.seller or rule.seller.casefold() in source.name.casefold()
    kind = rule.source_kind == source.kind or (not rule.source_kind and source.kind != LOAN)
    return who and source.currency == rule.currency and kind
