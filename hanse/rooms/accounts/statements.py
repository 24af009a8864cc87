"""Aging, statements as a waterfall, and customers as payers."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.accounts.facts import DAY
from hanse.rooms.accounts.queries import roles
from hanse.rooms.accounts.rows import ENTRIES, INVOICE, ITEMS, Entry

BUCKETS_DAYS = (0, 30, 60, 90)
"""Aging: not due yet, then overdue up to 30, 60, 90 days, then longer."""
PPM = 1_000_000


class Age(Struct, frozen=True):
    """Open items of one partner and currency by age. `buckets_minor`: not due, to 30, 60, 90 days over, longer.

    on_account_minor: credits and money without an item, <= 0; the open sum is buckets and these together.
    """

    partner: str
    currency: str
    buckets_minor: tuple[int, ...]
    on_account_minor: int
    open_minor: int
    oldest_days: int


def aging(view: View, side: str = "sell") -> list[Age]:
    """What the reader gets (`sell`) or owes (`buy`), by partner, the largest first."""
    role, other = roles(side)[0]
    edges = [view.now - days * DAY for days in BUCKETS_DAYS]
    sums = ["SUM(CASE WHEN amount_minor > 0 AND due_at >= ? THEN open_minor ELSE 0 END)"]
    sums += ["SUM(CASE WHEN amount_minor > 0 AND due_at < ? AND due_at >= ? THEN open_minor ELSE 0 END)"] * 3
    sums += ["SUM(CASE WHEN amount_minor > 0 AND due_at < ? THEN open_minor ELSE 0 END)"]
    values = [edges[0], edges[0], edges[1], edges[1], edges[2], edges[2], edges[3], edges[3]]
    sql = (
        f"SELECT {other}, currency, {', '.join(sums)}, SUM(CASE WHEN amount_minor < 0 THEN open_minor ELSE 0 END), "
        "SUM(open_minor), MIN(CASE WHEN amount_minor > 0 THEN due_at END) "
        f"FROM {{{ITEMS.name}}} WHERE {role} = ? AND settled_at = 0 GROUP BY 1, 2 ORDER BY SUM(open_minor) DESC, 1, 2"
    )
    return [
        Age(
            row[0],
            row[1],
            tuple(row[2:7]),
            row[7],
            row[8],
            max(0, (view.now - row[9]) // DAY) if row[9] else 0,
        )
        for row in view.sql(sql, (*values, view.party), tables=(ITEMS,))
    ]


class Step(Struct, frozen=True):
    """One bar of a statement's waterfall: opening, then each kind of entry, then closing; in the reader's favour."""

    label: str
    amount_minor: int
    count: int = 0


class Statement(Struct, frozen=True):
    """What changed between reader and partner in one currency from `from_at` until before `until_at`.

    steps: opening + entries by kind = closing. entries: those on `due`, oldest first. `side`: the reader's role.
    """

    circle: str
    partner: str
    currency: str
    side: str
    from_at: int
    until_at: int
    steps: tuple[Step, ...]
    entries: tuple[Entry, ...]
    unproven: bool


def statement(
    view: View, circle: str, partner: str, currency: str, *, side: str = "sell", from_at: int = 0, until_at: int = 0
) -> Statement:
    """The statement of one direction; amounts positive where the reader gets more, or owes less."""
    until_at = until_at or view.now + 1
    sign = 1 if side == "sell" else -1
    supplier, customer = (view.party, partner) if side == "sell" else (partner, view.party)
    way = (circle, supplier, customer, currency)
    where = "circle = ? AND supplier = ? AND customer = ? AND currency = ? AND due_minor <> 0"
    opening = view.count(ENTRIES, f"{where} AND at < ?", (*way, from_at), of="SUM(due_minor)")
    entries = view.rows(
        ENTRIES, f"{where} AND at >= ? AND at < ?", (*way, from_at, until_at), order="entry, part", limit=100_000
    )
    kinds: dict[str, list[int]] = {}
    for entry in entries:
        kinds.setdefault(entry.entry_kind, []).append(sign * entry.due_minor)
    steps = [Step("opening", sign * opening)]
    steps += [Step(kind, sum(amounts), len(amounts)) for kind, amounts in kinds.items()]
    steps.append(Step("closing", sum(step.amount_minor for step in steps)))
    return Statement(
        circle,
        partner,
        currency,
        side,
        from_at,
        until_at,
        tuple(steps),
        tuple(entries),
        any(entry.unproven for entry in entries),
    )


class Payer(Struct, frozen=True):
    """How a customer pays the reader; invoices settled within the window. Days are floored means, weighted by amount.

    in_time_ppm: of the amount settled, what was settled by its due date; -1 for nothing settled. dso_days: open over
    billed of the window, times its length; -1 where nothing was billed.
    """

    partner: str
    currency: str
    window_days: int
    settled_n: int
    settled_minor: int
    pay_days: int
    late_days: int
    in_time_ppm: int
    open_minor: int
    overdue_minor: int
    billed_minor: int
    dso_days: int
    unproven: bool


def payer(view: View, partner: str, currency: str, window_days: int = 365) -> Payer:
    """A customer as the reader's books show it."""
    since = view.now - window_days * DAY
    sql = (
        "SELECT COUNT(CASE WHEN settled_at >= :since THEN 1 END),"
        " SUM(CASE WHEN settled_at >= :since THEN amount_minor ELSE 0 END),"
        " TOTAL(CASE WHEN settled_at >= :since THEN 1.0 * amount_minor * (settled_at - issued_at) ELSE 0 END),"
        " TOTAL(CASE WHEN settled_at >= :since THEN 1.0 * amount_minor * MAX(0, settled_at - due_at) ELSE 0 END),"
        " SUM(CASE WHEN settled_at >= :since AND settled_at <= due_at THEN amount_minor ELSE 0 END),"
        " SUM(CASE WHEN settled_at = 0 THEN open_minor ELSE 0 END),"
        " SUM(CASE WHEN settled_at = 0 AND due_at < :now THEN open_minor ELSE 0 END),"
        " SUM(CASE WHEN issued_at >= :since THEN amount_minor ELSE 0 END), MAX(unproven)"
        f" FROM {{{ITEMS.name}}} WHERE supplier = :me AND customer = :partner AND currency = :currency"
        f" AND item_kind = '{INVOICE}'"
    )
    for name, value in (("since", since), ("now", view.now)):
        sql = sql.replace(f":{name}", str(int(value)))
    sql = sql.replace(":me", "?").replace(":partner", "?").replace(":currency", "?")
    row = view.sql(sql, (view.party, partner, currency), tables=(ITEMS,))[0]
    n, settled, days, late, in_time, open_, overdue, billed, unproven = (value or 0 for value in row)
    weight = settled * DAY
    return Payer(
        partner,
        currency,
        window_days,
        n,
        settled,
        int(days // weight) if weight else 0,
        int(late // weight) if weight else 0,
        in_time * PPM // settled if settled else -1,
        open_,
        overdue,
        billed,
        open_ * window_days // billed if billed > 0 else -1,
        bool(unproven),
    )


def payers(view: View, window_days: int = 365) -> list[Payer]:
    """All customers of the reader, by what is overdue, then open."""
    sql = f"SELECT DISTINCT customer, currency FROM {{{ITEMS.name}}} WHERE supplier = ?"
    found = [
        payer(view, customer, currency, window_days)
        for customer, currency in view.sql(sql, (view.party,), tables=(ITEMS,))
    ]
    return sorted(found, key=lambda row: (-row.overdue_minor, -row.open_minor, row.partner, row.currency))
