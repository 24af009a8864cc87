"""One entry of the record as one sentence in the trade's words, from the figures that its reader may see.

What a reader may not see is left out of the sentence, never guessed. Kinds that are not listed say what they are for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from hanse.kernel.view import View
from hanse.node.history import Told
from hanse.rooms.accounts.page_words import payment_words
from hanse.rooms.accounts.rows import PAYMENTS
from hanse.rooms.contracts.page_parts import agreement_title, award_words, dispute_words
from hanse.rooms.contracts.private_rows import AWARDS, PROPOSALS
from hanse.rooms.orders.naming import document_name, order_name, shipment_name
from hanse.rooms.parties.facts import PARTIES
from hanse.rooms.parties.queries import circle_card
from hanse.site import names, sentences_deals
from hanse.web.formats import money, number, quantity, time_text

OK = "ok"
FOREVER = 2**40


class Figures:
    """The figures of one entry, by name, and the words made of them; what is not disclosed gives ""."""

    def __init__(self, view: View, entry: Told) -> None:
        self.view, self.entry = view, entry
        self.values = {f.name: f.value for f in entry.figures if f.state != "erased"}

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    def text(self, name: str, before: str = " ", after: str = "") -> str:
        """A value between blanks, "" where it is not disclosed or empty."""
        found = self.values.get(name)
        return f"{before}{found}{after}" if found not in (None, "") else ""

    def party(self, name: str, before: str = " ") -> str:
        """A party's name."""
        row = self.view.get(PARTIES, str(self[name])) if self[name] else None
        return f"{before}{row.name}" if row else self.text(name, before)

    def order(self) -> str:
        """The order as the reader's firm calls it."""
        return order_name(self.view, str(self["order"])) if self["order"] else "(not shown)"

    def agreement(self) -> str:
        """The agreement by its number, or by its terms where a program numbered it: "the agreement “Late delivery”"."""
        name = str(self["agreement"] or "")
        if not name:
            return "an agreement"
        words = agreement_title(self.view, self.entry.circle, name) if self.entry.mine else f"Agreement {name}"
        return f"agreement {name}" if words == f"Agreement {name}" else f"the agreement “{words}”"

    def proposal(self) -> str:
        """The proposal by the agreement that it would make, where the reader has it; else by its id."""
        row = self.view.get(PROPOSALS, self.entry.circle, str(self["proposal"])) if self.entry.mine else None
        if row is None:
            return f"proposal {self['proposal']}" if self["proposal"] else "a proposal"
        words = agreement_title(self.view, row.circle, row.agreement)
        return f"what was proposed, {words[:1].lower() if words.startswith('Agreement ') else words[:1]}{words[1:]}"

    def dispute(self) -> str:
        """The dispute by what it is about, where the reader is in it; else by its id."""
        return dispute_words(self.view, self.entry.circle, str(self["dispute"]))

    def document(self) -> str:
        """A customer's document by its number, or by the customer's where a program numbered it."""
        given = (str(self[name] or "") for name in ("document", "customer", "customer_po_number"))
        words = document_name(self.view, *given)
        known = self["customer"] or self["customer_po_number"]
        return f"{words[:1].lower()}{words[1:]}" if known else f"document {self['document']}"

    def shipment(self) -> str:
        """The shipment, or whose it is: "the shipment of order 4711"."""
        if not self["shipment"]:
            return "a shipment"
        name = shipment_name(self.view, str(self["shipment"]))
        return f"shipment {name}" if name == self["shipment"] else f"the shipment of order {name}"

    def item(self, name: str = "item", before: str = " of ") -> str:
        """An item by brand and part number."""
        return f"{before}{names.item_words(self.view, str(self[name]))}" if self[name] else ""

    def called(self, name: str, unnamed: str, before: str = "") -> str:
        """A thing by what the reader calls it, else by its number. unnamed: said where the figure is not disclosed."""
        words = names.called(self.view, self.entry.circle, name, str(self[name])) if self[name] else unnamed
        return f"{before}{words}" if words else ""

    def known(self, name: str, before: str = "", unknown: str = "") -> str:
        """A thing by what the reader calls it; else `unknown`, and not its number."""
        found = names.known(self.view, self.entry.circle, name, str(self[name])) if self[name] else ""
        return f"{before}{found}" if found else unknown

    def awards(self, before: str = ": ") -> str:
        """The results of clauses by their reasons and what they are for, "" for those outside."""
        found = [str(name) for name in (self["awards"] or [self["award"]]) if name]
        rows = [self.view.get(AWARDS, self.entry.circle, name) for name in found]
        words = [award_words(self.view, row) for row in rows if row]
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        return f"{before}{words[0]}{more}" if words else ""

    def each(self, name: str = "each", before: str = " ") -> str:
        """A quantity."""
        return f"{before}{quantity(self[name])}" if isinstance(self[name], int) else ""

    def price(self, name: str, before: str = " at ") -> str:
        """An amount in the entry's currency."""
        known = isinstance(self[name], int) and self["currency"]
        return f"{before}{money(self[name], self['currency'])}" if known else ""

    def day(self, name: str, before: str = ", until ") -> str:
        """A day in UTC."""
        at = self[name]
        return f"{before}{time_text(at, with_time=False)}" if isinstance(at, int) and 0 < at < FOREVER else ""

    def lines(self, name: str = "lines") -> list[dict[str, Any]]:
        """A list of structs as it stood: figures `lines.1.each` gathered by line."""
        found: dict[int, dict[str, Any]] = {}
        for key, value in self.values.items():
            first, _, rest = key.partition(".")
            at, _, field = rest.partition(".")
            if first == name and at.isdigit() and field:
                found.setdefault(int(at), {})[field] = value
        return [found[at] for at in sorted(found)]

    def count(self, name: str = "lines", before: str = ": ") -> str:
        """How many lines, "" where none is disclosed."""
        n = len(self.lines(name))
        return f"{before}{number(n)} {'line' if n == 1 else 'lines'}" if n else ""

    def sum(self, field: str = "each", before: str = ", ") -> str:
        """The quantity of all lines together."""
        known = [line[field] for line in self.lines() if isinstance(line.get(field), int)]
        return f"{before}{quantity(sum(known))}" if known else ""

    def due(self, field: str) -> str:
        """The latest day that a line names."""
        known = [line[field] for line in self.lines() if isinstance(line.get(field), int) and line[field] > 0]
        return f", due {time_text(max(known), with_time=False)}" if known else ""

    def value(self) -> str:
        """The money of all lines, where every price is disclosed."""
        lines = self.lines()
        pairs = [(line.get("each"), line.get("unit_price_minor")) for line in lines]
        if not lines or not self["currency"] or any(not isinstance(x, int) for pair in pairs for x in pair):
            return ""
        return f", worth {money(sum(int(e or 0) * int(p or 0) for e, p in pairs), self['currency'])}"

    def others(self, before: str = " with ") -> str:
        """Who else is in the entry's relationship, or the group's name; "" for those outside."""
        card = circle_card(self.view, self.entry.circle) if self.entry.mine else None
        if card is None or card.purpose == "home":
            return ""
        if card.purpose == "group":
            return f"{before}the group {card.name}"
        names = [m.name for m in card.members if m.alias != self.entry.signer]
        return f"{before}{' and '.join(names)}" if names else ""


Say = Callable[[Figures], str]


def _place(f: Figures) -> str:
    return f"placed order {f.order()}{f.others()}{f.count()}{f.sum()}{f.value()}{f.due('requested_at')}"


def _confirm(f: Figures) -> str:
    changed = " with changes to accept" if any(line.get("changed") for line in f.lines()) else ""
    return f"confirmed order {f.order()}{changed}{f.count()}{f.sum()}{f.due('promised_at')}"


def _receive(f: Figures) -> str:
    counted = f.count() + f.sum("received") if f.lines() else ", everything as shipped"
    damaged = sum(line.get("damaged", 0) for line in f.lines())
    return f"signed for {f.shipment()}{counted}" + (f", {quantity(damaged)} damaged" if damaged else "")


def _open(f: Figures) -> str:
    if f["purpose"] == "home":
        return "opened its own books"
    if f["purpose"] == "relationship":
        return f"opened a relationship{f.others()}"
    members = f["members"] or []
    return f"opened the group{f.text('name')} of {len(members)} members"


def _enter(f: Figures) -> str:
    return f"accepted to trade{f.others()}" if f.others() else "accepted an invitation to trade"


def _retire(f: Figures) -> str:
    if f["compromised"]:
        return "declared a key compromised: nothing signed with it counts from now on"
    return f"retired a key{f.day('until_at', ' as of ')}"


def _count(f: Figures) -> str:
    return f"counted stock{f.count()}{f.sum()}"


def _transfer(f: Figures) -> str:
    kinds = {"sale": "to sell", "sale_in_place": "to sell and keep", "sale_of_held": "to sell held goods,",
             "consign": "to leave", "hand_over": "to hand over"}  # fmt: skip
    what = kinds.get(str(f["transfer_kind"]), "a transfer of")
    cost = f.price("unit_cost_minor", " at cost of ") if f["unit_cost_minor"] else ""
    where = " with " if f["transfer_kind"] == "consign" else " to "
    return f"proposed {what}{f.each()}{f.item()}{cost}{f.others(where)}"


def _offer(f: Figures) -> str:
    what = "offered to lend" if f["offer_kind"] == "lend" else "offered"
    return f"{what}{f.each()}{f.item()}{f.price('unit_price_minor')}{f.others(' to ')}{f.day('expires_at')}"


def _want(f: Figures) -> str:
    how = {True: " to borrow", False: " to buy"}.get(f["borrow"], " for goods")
    return f"asked{how}{f.each()}{f.item()}{f.others(' from ')}{f.day('expires_at')}"


def _a_quote(f: Figures) -> str:
    return f.called("quote", "a quote").replace("the quote", "a quote", 1)


def _withdraw_want(f: Figures) -> str:
    words = names.wanted(f.view, str(f["want"])) if f["want"] else ""
    return f"took back what it had asked for{f': {words}' if words else ''}"


def _site(f: Figures) -> str:
    same = f["name"] == f["city"]
    return f"recorded a site{f.text('name', ': ')}{'' if same else f.text('city', ', ')}"


def _permit(f: Figures) -> str:
    if f["allow"] is None:
        return "said to whom it sells"
    who = "everybody" if f["partner"] == "*" else f.party("partner", "")
    goods = "all goods" if f["scope"] == "*" else str(f["scope"]).replace(":", " ")
    return f"{'sells' if f['allow'] else 'does not sell'} {goods} to {who}"


def _substitute(f: Figures) -> str:
    verb = "takes back" if f["approved"] is False else "approves"
    return f"{verb}{f.item('substitute', ' ')} in place{f.item()}"


def _judge(f: Figures) -> str:
    if f["allow"] is None:
        return "said whether it takes a substitute"
    return f"{'takes' if f['allow'] else 'does not take'}{f.item('substitute', ' ')} in place{f.item()}"


SAYS: dict[str, Say] = {
    "parties.found": lambda f: f"founded the network{f.text('network')}",
    "parties.invite": lambda f: f"invited a firm{f.day('expires_at')}",
    "parties.join": lambda f: f"joined the network{f.text('city', ' from ')}",
    "parties.describe": lambda f: "changed its public profile",
    "parties.add_key": lambda f: "added a key that speaks for it",
    "parties.retire_key": _retire,
    "parties.endorse": lambda f: f"endorsed a pseudonym{f.party('owner', ' of ') or ' of a member'}",
    "parties.open_circle": _open,
    "parties.enter_circle": _enter,
    "parties.widen_circle": lambda f: f"brought{f.party('party') or ' a member'} into{f.others(' ') or ' a group'}",
    "parties.leave_circle": lambda f: f"left{f.others(' ') or ' a group'}",
    "parties.set_site": _site,
    "parties.appoint": lambda f: "said who may act for it" + f.text("role", ", as "),
    "parties.set_permit": _permit,
    "parties.authorise": lambda f: f"authorised{f.party('party')} to sell {f['brand']}",
    "catalog.publish_item": lambda f: f"published{f.text('description', ' ') or f.item(before=' ')}",
    "catalog.supersede": lambda f: f"named what comes after{f.item(before=' ')}{f.item('by', ': ')}",
    "catalog.approve_substitute": _substitute,
    "catalog.judge_substitute": _judge,
    "catalog.set_own_item": lambda f: f"recorded an own number{f.text('own_number')}{f.text('description', ', ')}",
    "catalog.link_item": lambda f: f"matched an own number{f.text('own_number')}{f.item(before=' to ')}",
    "catalog.unlink_item": lambda f: f"took back what it had matched{f.text('own_number')}",
    "inventory.count": _count,
    "inventory.adjust": lambda f: f"adjusted stock{f.count()}",
    "inventory.move": lambda f: f"moved stock between its sites{f.each(before=': ')}{f.text('own_number', ' of ')}",
    "inventory.set_policy": lambda f: f"set its own rules for stock{f.text('own_number', ' of ')}",
    "inventory.record_serials": lambda f: f"recorded serial numbers{f.text('own_number', ' of ')}",
    "inventory.earmark": lambda f: f"set stock behind an offer{f.each(before=': ')}{f.text('own_number', ' of ')}",
    "inventory.offer": _offer,
    "inventory.withdraw_offer": lambda f: f"withdrew {f.called('offer', 'an offer')}; what was reserved stands",
    "inventory.want": _want,
    "inventory.withdraw_want": _withdraw_want,
    "inventory.propose_transfer": _transfer,
    "inventory.accept_transfer": lambda f: f"accepted {f.called('transfer', 'a transfer')}: the goods have passed",
    "inventory.end_transfer": lambda f: f"ended the proposal of {f.called('transfer', 'a transfer')}",
    "orders.request_quote": lambda f: f"asked for {_a_quote(f)}{f.others(' from ')}{f.count()}",
    "orders.quote": lambda f: f"quoted{f.others(' to ')}{f.count()}{f.value()}{f.day('valid_until_at')}",
    "orders.hold": lambda f: f"reserved{f.each()}{f.called('offer', 'an offer', ' of ')}{f.day('until_at')}",
    "orders.place": _place,
    "orders.keep_document": lambda f: f"kept a customer’s {f.document()}{f.count()}",
    "orders.approve": lambda f: {True: "approved ", False: "did not approve "}.get(f["approved"], "decided on ")
        + f.called("subject", "a purchase") + f.price("amount_minor", ", "),
    "orders.confirm": _confirm,
    "orders.accept_change": lambda f: f"answered the changes of order {f.order()}{f.count()}",
    "orders.decline": lambda f: f"declined order {f.order()}{f.text('reason', ': ')}",
    "orders.cancel": lambda f: f"cancelled order {f.order()}{f.count(before=', ')}{f.text('reason', ': ')}",
    "orders.ship": lambda f: f"shipped order {f.order()}{f.count()}{f.sum()}"
        f"{f.text('carrier', ', by ')}{f.day('arrive_by', ', to arrive by ')}",
    "orders.hand_over": lambda f: f"handed over {f.shipment()}{f.text('carrier', ' to ')}",
    "orders.receive": _receive,
    "orders.contest": lambda f: f"contests the receipt of {f.shipment()}{f.text('reason', ': ')}",
    "orders.return_goods": lambda f: f"asks to return goods of {f.shipment()}{f.count()}{f.sum()}",
    "orders.accept_return": lambda f: f"answered {f.called('return_id', 'a return')}{f.count()}"
        f"{f.sum(before=', accepted ')}",
    "orders.rate": lambda f: f"rated {f.shipment()}{f.text('score', ': ', ' of 5')}",
    "orders.message": lambda f: f"wrote{f.others(' to ')}{f' about order {f.order()}' if f['order'] else ''}"
        f"{f.text('file_name', ', with ')}",
    **sentences_deals.SAYS,
}  # fmt: skip
"""Kind -> what was done, behind the signer's name and before the full stop."""
WAITS = {
    "offer": "{} has ended.",
    "want": "{} is no longer wanted.",
    "transfer": "The proposal of {} has ended unanswered.",
    "orders.hold_over": "{} has ended.",
    "orders.quote_over": "{} is no longer open.",
    "orders.unanswered": "Order {} was not answered in time and has lapsed.",
    "orders.unshipped": "What was not shipped of order {} by its last day is cancelled.",
    "orders.change_unanswered": "The changes of order {} were not answered in time: those lines are open again.",
    "orders.deemed_received": "Shipment {} counts as received: nobody signed for it in time.",
    "orders.return_unanswered": "{} was not answered in time.",
    **sentences_deals.WAITS,
}
"""Timer name, or the first part of its id -> sentence."""
WAITS_FOR = {
    "offer": "offer", "want": "want", "transfer": "transfer", "orders.hold_over": "hold", "orders.quote_over": "quote",
    "orders.return_unanswered": "return_id", **sentences_deals.WAITS_FOR,
}  # fmt: skip
"""Timer name -> what it names, as the figures of facts name it."""


class Sentence(Struct, frozen=True):
    """`who`: who signed, as the reader may know. `text`: all of it. `refused`: the code, "" where it stands."""

    who: str
    text: str
    refused: str


def who(entry: Told) -> str:
    """Who signed: a name where the reader knows it, else that it is a pseudonym."""
    if entry.signer_name:
        return entry.signer_name
    return f"A member (pseudonym {entry.signer[:10]}…)" if entry.signer else ""


def _waited(view: View, name: str, rest: str) -> str:
    """What a wait was for, as the reader's firm calls it: an order, a shipment, a payment; else its id."""
    last = rest.rpartition("/")[2] or rest
    if name in WAITS_FOR:
        return names.called(view, "", WAITS_FOR[name], last)
    if name == "accounts.payment_unanswered":
        paid = view.rows(PAYMENTS, "payment = ?", (last,), limit=1)
        return payment_words(view, paid[0]).removeprefix("Payment ") if paid else last
    found = order_name(view, last)
    if name == "orders.deemed_received":
        found = shipment_name(view, last)
        return last if found == last else f"of order {found}"
    return found


def sentence(view: View, entry: Told) -> Sentence:
    """An entry in the trade's words."""
    refused = "" if entry.outcome == OK else entry.outcome
    if entry.form == "timer":
        name, _, rest = entry.kind.partition("/")
        text = WAITS.get(name, f"A wait has ended: {name.rpartition('.')[2].replace('_', ' ')}" + " {}.")
        said = text.format(_waited(view, name, rest)).replace(" .", ".")
        return Sentence("", f"{said[:1].upper()}{said[1:]}", refused)
    if entry.form == "block":
        return Sentence("", entry.about, refused)
    name, say = who(entry), SAYS.get(entry.kind)
    if say is None:
        return Sentence(name, f"{name}: {entry.about or entry.kind}", refused)
    text = f"{name} {say(Figures(view, entry))}."
    if refused:
        text = f"{name} tried what was refused: “{say(Figures(view, entry))}”."
    return Sentence(name, text, refused)
