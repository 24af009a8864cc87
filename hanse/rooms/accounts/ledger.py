"""Posting: the one place that writes entries, accounts and what is open of items, so that they agree."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.facts import Given
from hanse.kernel.refusal import Refused, require
from hanse.rooms.accounts.rows import (
    AWARD,
    BALANCES,
    ENTRIES,
    INVOICE,
    INVOICES,
    ITEMS,
    Account,
    Entry,
    Item,
    Posting,
    Way,
)
from hanse.rooms.contracts.hearing import hear
from hanse.rooms.contracts.terms.runtime import muldiv
from hanse.rooms.orders.rows import ShipmentLine

PPM = 1_000_000
MONEY_MAX = 10**17
"""The largest amount of one document, minor units."""
OUTSIDE = "~"
"""How the name of a partner begins that is not in the network. No party's name begins so."""


def way_of(item: Item) -> Way:
    return Way(item.currency, item.supplier, item.customer, item.unproven)


def outsider(name: str) -> str:
    """A partner outside the network, by the firm's own name for it.

    >>> outsider("Klinik Nord")
    '~Klinik Nord'
    """
    return OUTSIDE + name.removeprefix(OUTSIDE)


def post(draft: Draft, way: Way, kind: str, document: str, *lines: tuple[str, int], reason: str = "") -> None:
    """Post one entry to the draft's circle; lines of zero are left out, and an entry without lines is none.

    Args:
        lines: (account, minor units), debit positive, in the supplier's view.
    Writes: ENTRIES, BALANCES. Raises AssertionError where the lines do not sum to zero: a bug, never a user's doing.
    """
    kept = tuple(Posting(account, amount) for account, amount in lines if amount)
    if not kept:
        return
    assert sum(line.amount_minor for line in kept) == 0, f"{kind} {document} does not balance: {kept}"
    part = 0
    while draft.mine(ENTRIES, draft.circle, draft.position, part) is not None:
        part += 1
    entry = Entry(
        circle=draft.circle,
        entry=draft.position,
        part=part,
        entry_kind=kind,
        at=draft.now,
        currency=way.currency,
        supplier=way.supplier,
        customer=way.customer,
        document=document,
        reason=reason,
        due_minor=sum(line.amount_minor for line in kept if line.account == "due"),
        unproven=way.unproven,
        lines=kept,
    )
    draft.put(ENTRIES, entry)
    for line in kept:
        key = (draft.circle, way.currency, way.supplier, way.customer, line.account)
        had = draft.get(BALANCES, *key)
        row = had or Account(
            circle=draft.circle,
            currency=way.currency,
            supplier=way.supplier,
            customer=way.customer,
            account=line.account,
            balance_minor=0,
        )
        draft.put(BALANCES, replace(row, balance_minor=row.balance_minor + line.amount_minor))


def balance(draft: Draft, way: Way, account: str) -> int:
    """An account's balance in the draft's circle, minor units, in the supplier's view."""
    row = draft.get(BALANCES, draft.circle, way.currency, way.supplier, way.customer, account)
    return row.balance_minor if row else 0


def find_item(draft: Draft, item: Given[str]) -> Item:
    """Refuses: accounts.unknown_item."""
    found = draft.get(ITEMS, draft.circle, item)
    if found is None:
        raise Refused("accounts.unknown_item", "no such item in these books", got=item)
    return found


def free_number(draft: Draft, item: str) -> None:
    """Refuses: accounts.item_taken."""
    require(draft.get(ITEMS, draft.circle, item) is None, "accounts.item_taken", "this number is taken", got=item)


def open_item(draft: Draft, way: Way, item: str, kind: str, amount_minor: int, **rest: object) -> Item:
    """Write a new item, wholly open. `rest`: further fields of `Item`. The caller posts the same amount on `due`."""
    fields: dict[str, object] = {
        "circle": draft.circle,
        "item": item,
        "item_kind": kind,
        "currency": way.currency,
        "supplier": way.supplier,
        "customer": way.customer,
        "amount_minor": amount_minor,
        "open_minor": amount_minor,
        "net_minor": amount_minor,
        "tax_minor": 0,
        "issued_at": draft.now,
        "due_at": 0,
        "settled_at": 0 if amount_minor else draft.now,
        "unproven": way.unproven,
        **rest,
    }
    row = Item(**fields)  # type: ignore[arg-type]
    draft.put(ITEMS, row)
    return row


def settle_item(draft: Draft, item: str, amount_minor: int, *, at: int = 0, announced: int = 0) -> Item:
    """Take an amount, of the item's own sign, off what is open, and another off what is announced.

    The caller has checked that so much is open, and posts the same amount on `due`.
    """
    row = find_item(draft, item)
    left = row.open_minor - amount_minor
    assert left * row.amount_minor >= 0, f"{item}: {amount_minor} of {row.open_minor} open"
    after = replace(
        row,
        open_minor=left,
        announced_minor=row.announced_minor - announced,
        settled_at=0 if left else at or draft.now,
    )
    draft.put(ITEMS, after)
    if not left and row.item_kind == INVOICE:
        tell_agreements(draft, "invoice.settled", after, at)
    return after


def tell_agreements(draft: Draft, event: str, item: Item, at: int = 0) -> None:
    """Let the circle's agreements know of an invoice settled or a credit issued, once each.

    Both sides stand behind it: a payment counts by both signatures, or by silence; a credit speaks against its issuer.
    """
    text = draft.get(INVOICES, draft.circle, item.item)
    orders = text.order_ids if text else ()
    keys = {"document": item.item} | ({"order": orders[0]} if len(orders) == 1 else {})
    fields = {"net": abs(item.net_minor), "tax": abs(item.tax_minor), "total": abs(item.amount_minor)}
    hear(
        draft,
        event,
        item.item,
        parties=(item.supplier, item.customer),
        keys=keys,
        fields={**fields, "currency": item.currency},
        at=at,
    )


def part_of(amount_minor: int, share: int, whole: int, mode: str = "half_even") -> int:
    """amount x share / whole, rounded once; 0 of a whole of 0.

    >>> part_of(100, 1, 3), part_of(100, 0, 0)
    (33, 0)
    """
    return muldiv(amount_minor, share, whole, mode) if whole else 0


def taxes_of(lines: Iterable[tuple[int, int]], rounding: str) -> tuple[tuple[int, int, int], ...]:
    """(rate ppm, base, tax) by rising rate, of lines (net minor, rate ppm): rounded once per rate (EN 16931 BR-CO-17).

    >>> taxes_of([(1005, 190_000), (1005, 190_000), (100, 0)], "half_up")
    ((0, 100, 0), (190000, 2010, 382))
    """
    bases: dict[int, int] = {}
    for net, rate in lines:
        bases[rate] = bases.get(rate, 0) + net
    return tuple((rate, base, muldiv(base, rate, PPM, rounding)) for rate, base in sorted(bases.items()))


def billable(line: ShipmentLine) -> int:
    """How many units of a received shipment's line may be billed in all.

    Good ones within the shipped quantity, less those that went back; damaged ones are taken to go back first. What came
    beyond the shipped quantity was not ordered and is not billed.

    >>> billable(ShipmentLine(1, 10, received=9, damaged=3, over=2, returned=4))
    6
    """
    return line.received - line.over - max(0, line.returned - line.damaged)


def credit(draft: Draft, way: Way, number: str, amount_minor: int, reason: str, due_at: int = 0) -> str:
    """What the supplier owes its customer beyond any invoice: a negative item against `credit`. For later rooms.

    Args:
        amount_minor: >= 0. number: the document's; a taken one gets a sign behind it. Returns the item's number.
    """
    while draft.get(ITEMS, draft.circle, number) is not None:
        number += "+"
    open_item(draft, way, number, AWARD, -amount_minor, due_at=due_at, reference=reason)
    post(draft, way, AWARD, number, ("due", -amount_minor), ("credit", amount_minor), reason=reason)
    return number
