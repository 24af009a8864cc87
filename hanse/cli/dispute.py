"""`hanse dispute`: clause results looked at and confirmed; objections opened, answered, decided.

The node must be stopped.
"""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from hanse.cli._desk import Party, desk_of
from hanse.cli.shell import HERE, Answer, Data, NotNegative, Positive, table
from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.node import Node
from hanse.rooms.contracts import queries
from hanse.rooms.contracts.facts import AnswerDispute, ConfirmResult, Decide, Dispute, WithdrawDispute
from hanse.rooms.contracts.private_rows import AWARDS, DISPUTES, Award, DisputeRow
from hanse.web.formats import money

Entries = Annotated[tuple[int, ...], Parameter(name=["--entry"], negative="", help="An entry that proves it.")]


def mount(app: App) -> None:
    """Add this file's commands."""
    group = App(name="dispute", help="Clause results and objections: listed, explained, confirmed, disputed, decided.")
    for command in (results, explain, confirm, answer, withdraw, decide):
        group.command(command)
    group.command(show, name="list")
    group.command(open_, name="open")
    app.command(group)


def results(*, state: str = "", limit: Positive = 100, party: Party = "", data: Data = HERE) -> Answer:
    """List clause results in money: pending with their reason, standing, disputed, void, unproven.

    Parameters
    ----------
    state
        One of these; all without it.
    """
    with Node(data, helper=False) as node:
        found = queries.awards(desk_of(node, party).view, states=(state,) if state else (), limit=limit)
    rows = [(r.award, r.state, r.sender, r.receiver, money(r.amount_minor, r.currency), r.label) for r in found]
    return Answer(found, table("result", "state", "from", "to", "amount", "reason", rows=rows))


def _award(view: View, name: str) -> Award:
    """A result by its number. Refuses: dispute.unknown_result."""
    found = view.rows(AWARDS, "award = ?", (name,))
    if len(found) != 1:
        raise Refused("dispute.unknown_result", "no one clause result has this number", got=name,
                      next="see `hanse dispute results`")  # fmt: skip
    return found[0]


def _row(view: View, name: str) -> DisputeRow:
    """A dispute by its number. Refuses: dispute.unknown_dispute."""
    found = view.rows(DISPUTES, "dispute = ?", (name,))
    if len(found) != 1:
        raise Refused("dispute.unknown_dispute", "no one dispute has this number", got=name,
                      next="see `hanse dispute list`")  # fmt: skip
    return found[0]


def explain(result: str, *, party: Party = "", data: Data = HERE) -> Answer:
    """Explain one result step by step: the clause's sentence, each fact with its entry and signer, each step.

    Parameters
    ----------
    result
        Its number.
    """
    with Node(data, helper=False) as node:
        view = desk_of(node, party).view
        page = queries.award_page(view, _award(view, result).circle, result)
    assert page is not None, "it was just found"
    lines = [page.text, ""]
    lines += [f"{fact.name} = {fact.value}, entry {fact.entry:,}, signed by {fact.signer}" for fact in page.facts]
    lines += [f"{step.name} = {step.rule} = {step.value}" for step in page.steps]
    lines.append("computed again, it comes out the same" if page.equal else f"WRONG: {page.why}")
    return Answer(page, "\n".join(lines))


def _do(node: Node, party: str, made: Any) -> Answer:
    desk = desk_of(node, party)
    fact: Fact = made(desk.view)
    receipt = desk.do(fact)
    return Answer(receipt, f"signed, entry {receipt.position:,}")


def confirm(result: str, *, party: Party = "", data: Data = HERE) -> Answer:
    """Confirm a pending result; what both sides confirm stands at once.

    Parameters
    ----------
    result
        Its number.
    """
    with Node(data, helper=False) as node:
        return _do(node, party, lambda view: ConfirmResult(circle=_award(view, result).circle, awards=[result]))


def show(*, open_only: Annotated[bool, Parameter(negative="")] = False, party: Party = "", data: Data = HERE) -> Answer:
    """List disputes, the newest first.

    Parameters
    ----------
    open_only
        Only those that are not ended.
    """
    with Node(data, helper=False) as node:
        found = queries.disputes(desk_of(node, party).view, open_only=open_only)
    rows = [
        (c.dispute.dispute, c.dispute.state, c.dispute.award, c.dispute.opened_by,
         money(c.dispute.wanted_minor, c.award.currency), "you are to answer" if c.answer_wanted else "")
        for c in found
    ]  # fmt: skip
    return Answer(found, table("dispute", "state", "result", "opened by", "wanted", "", rows=rows))


def open_(
    result: str, *, wanted_minor: NotNegative, liable: str, reason: str, dispute: str = "", evidence: Entries = (),
    party: Party = "", data: Data = HERE,
) -> Answer:  # fmt: skip
    """Object to a pending result within its objection period.

    Parameters
    ----------
    result
        Its number.
    wanted_minor
        What it should be, in minor units.
    liable
        Whom the firm holds liable.
    reason
        Why.
    """
    with Node(data, helper=False) as node:
        number = dispute or node.wallet.new_id("dispute")
        return _do(node, party, lambda view: Dispute(
            circle=_award(view, result).circle, dispute=number, award=result, liable=liable,
            wanted_minor=wanted_minor, reason=reason, evidence=list(evidence),
        ))  # fmt: skip


def answer(
    dispute: str, *, reason: str = "", accept: Annotated[bool, Parameter(negative="")] = False,
    evidence: Entries = (), party: Party = "", data: Data = HERE,
) -> Answer:  # fmt: skip
    """Answer an objection: accept the amount wanted, or say why not.

    Parameters
    ----------
    dispute
        Its number.
    """
    with Node(data, helper=False) as node:
        return _do(node, party, lambda view: AnswerDispute(
            circle=_row(view, dispute).circle, dispute=dispute, accept=accept, reason=reason, evidence=list(evidence),
        ))  # fmt: skip


def withdraw(dispute: str, *, party: Party = "", data: Data = HERE) -> Answer:
    """Withdraw an objection: the result stands as it was.

    Parameters
    ----------
    dispute
        Its number.
    """
    with Node(data, helper=False) as node:
        return _do(node, party, lambda view: WithdrawDispute(circle=_row(view, dispute).circle, dispute=dispute))


def decide(dispute: str, *, amount_minor: NotNegative, reason: str, party: Party = "", data: Data = HERE) -> Answer:
    """Decide a dispute, as the arbiter whom the agreement names.

    Parameters
    ----------
    dispute
        Its number.
    amount_minor
        What the result is, in minor units; 0 ends it.
    """
    with Node(data, helper=False) as node:
        return _do(node, party, lambda view: Decide(
            circle=_row(view, dispute).circle, dispute=dispute, amount_minor=amount_minor, reason=reason, fields={},
        ))  # fmt: skip
