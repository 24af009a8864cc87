"""`hanse group`: buying groups; rounds, commitments, rebates, statements, the audit. The node must be stopped."""

from __future__ import annotations

from cyclopts import App

from hanse.cli._desk import Party, desk_of
from hanse.cli.shell import DONE, HERE, WRONG, Answer, Data, NotNegative, table
from hanse.kernel.refusal import Refused
from hanse.node.node import Node
from hanse.rooms.group import queries
from hanse.rooms.group.facts import Commit
from hanse.rooms.group.rows import GROUP_TERMS
from hanse.rooms.parties.queries import relationship_with
from hanse.web.formats import money


def mount(app: App) -> None:
    """Add this file's commands."""
    group = App(name="group", help="Buying groups: rounds and commitments, rebates, statements, what an audit finds.")
    for command in (rounds, commit, rebates, report, statements, near, audit):
        group.command(command)
    group.command(show, name="list")
    app.command(group)


def show(*, party: Party = "", data: Data = HERE) -> Answer:
    """List the firm's groups, with how many have joined."""
    with Node(data, helper=False) as node:
        found = queries.groups(desk_of(node, party).view)
    return Answer(
        found,
        table("group", "manager", "members", rows=[(g.group.group_id, g.terms.manager, g.members) for g in found]),
    )


def rounds(*, party: Party = "", data: Data = HERE) -> Answer:
    """List purchasing rounds of the firm's groups: item, tiers, what is committed as the manager tells it."""
    with Node(data, helper=False) as node:
        view = desk_of(node, party).view
        found = [page for row in queries.rounds(view) if (page := queries.round_page(view, row.round))]
    return Answer(found)


def commit(
    round_id: str, each: NotNegative, *, price_max_minor: NotNegative = 0, party: Party = "", data: Data = HERE
) -> Answer:
    """Commit demand to a round, for the manager alone to see; the last word before the deadline counts, 0 withdraws.

    Parameters
    ----------
    round_id
        The round.
    each
        How many, in base units.
    price_max_minor
        At a higher price the firm takes none; 0: any of the tiers.
    """
    with Node(data, helper=False) as node:
        desk = desk_of(node, party)
        page = queries.round_page(desk.view, round_id)
        terms = desk.view.get(GROUP_TERMS, page.round.circle, page.round.group_id) if page else None
        circle = relationship_with(desk.view, terms.manager) if terms else ""
        if not circle:
            raise Refused("group.unknown_round", "no round of a group with whose manager this firm trades",
                          got=round_id, next="see `hanse group rounds`")  # fmt: skip
        fact = Commit(circle=circle, round=round_id, each=each, price_max_minor=price_max_minor)
        receipt = desk.do(fact)
    return Answer(receipt, f"{each:,} committed to {round_id}, entry {receipt.position:,}")


def rebates(*, party: Party = "", data: Data = HERE) -> Answer:
    """List rebates of the firm's groups, with what this firm has bought under each."""
    with Node(data, helper=False) as node:
        view = desk_of(node, party).view
        found = [(row, queries.purchases(view, row)) for row in queries.rebates(view)]
    document = [
        {"rebate": row.rebate, "supplier": row.supplier, "currency": row.currency, "told_minor": row.told_minor,
         "own_signed_minor": signed, "own_imported_minor": imported, "own_documents": documents}
        for row, (signed, imported, documents) in found
    ]  # fmt: skip
    rows = [
        (row.rebate, row.supplier, money(row.told_minor, row.currency), money(signed, row.currency),
         money(imported, row.currency))
        for row, (signed, imported, _) in found
    ]  # fmt: skip
    return Answer(document, table("rebate", "supplier", "group's total", "own, by invoices", "own, by its books",
                                  rows=rows))  # fmt: skip


def report(rebate: str, *, party: Party = "", data: Data = HERE) -> Answer:
    """Report the firm's purchases under a rebate to the group's manager, as its books have them.

    Parameters
    ----------
    rebate
        Its number.
    """
    with Node(data, helper=False) as node:
        desk = desk_of(node, party)
        fact = queries.report(desk.view, rebate)
        if fact is None:
            raise Refused("group.nothing_to_report", "no rebate of a group with whose manager this firm trades",
                          got=rebate, next="see `hanse group rebates`")  # fmt: skip
        receipt = desk.do(fact)
    return Answer(receipt, f"reported, entry {receipt.position:,}")


def statements(*, party: Party = "", data: Data = HERE) -> Answer:
    """List statements of members' shares, the newest first."""
    with Node(data, helper=False) as node:
        found = queries.statements(desk_of(node, party).view)
    return Answer(found)


def near(
    supplier: str, currency: str = "EUR", *, more_minor: NotNegative = 0, party: Party = "", data: Data = HERE
) -> Answer:
    """Tell whose next rebate tier is near, or reached by an order.

    Parameters
    ----------
    supplier
        Whose rebate.
    more_minor
        The order's net, in minor units.
    """
    with Node(data, helper=False) as node:
        found = queries.near_tier(desk_of(node, party).view, supplier, currency, more_minor)
    rows = [
        (r.rebate, money(r.total_minor, currency), money(r.missing_minor, currency), money(r.my_gain_minor, currency))
        for r in found
    ]
    return Answer(found, table("rebate", "total then", "missing to the next tier", "own gain", rows=rows))


def audit(*, party: Party = "", data: Data = HERE) -> Answer:
    """Compare what a manager told of totals with what its members signed. Exit code 1 where they differ."""
    with Node(data, helper=False) as node:
        found = queries.audit(desk_of(node, party).view)
    wrong = [row for row in found if not row.holds]
    rows = [(row.what, row.name, row.told, row.recomputed, row.holds) for row in found]
    return Answer(found, table("what", "name", "told", "computed", "equal", rows=rows), WRONG if wrong else DONE)
