"""What entries of contracts, accounts, groups and plans say, as `sentences` says it of the trade itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hanse.site.sentences import Figures

Say = Callable[["Figures"], str]


def _percent(ppm: Any, before: str) -> str:
    return f"{before}{ppm / 10_000:g}%" if isinstance(ppm, int) else ""


def _gross(f: Figures) -> str:
    return f.price("gross_minor", " over ")


def _propose(f: Figures) -> str:
    return f"proposed {f.agreement()}{f.others(' to ')}{f.day('answer_by', ', open until ')}"


def _pay(f: Figures) -> str:
    how = {"netting": " by netting", "cash": " in cash", "card": " by card"}.get(str(f["method"]), "")
    verb = "says that it paid back" if f["refund"] else "says that it has paid"
    return f"{verb}{f.price('amount_minor', ' ')}{how}{f.others(' to ')}"


def _answer(f: Figures) -> str:
    said = {True: "accepts what is wanted", False: "does not accept what is wanted"}.get(f["accept"], "answered")
    return f"{said} in {f.dispute()}{f.text('reason', ': ')}"


def _attest_plan(f: Figures) -> str:
    said = {True: "found plan {} as good as it says", False: "found plan {} not to be what it says"}
    return said.get(f["good"], "has checked plan {}").format(f["plan"])


def _commit(f: Figures) -> str:
    if f["each"] == 0:
        return f"withdrew from round {f['round']}"
    return f"committed{f.each() or ' a quantity'} to round {f['round']}"


def _terms(f: Figures) -> str:
    return f"set its terms for{f.party('partner') or ' a partner'}{f.price('credit_limit_minor', ': credit up to ')}"


SAYS: dict[str, Say] = {
    "contracts.register_template": lambda f: "registered a template of contracts",
    "contracts.propose": _propose,
    "contracts.counter": lambda f: f"answered a proposal for {f.agreement()} with other terms",
    "contracts.amend": lambda f: f"proposed other terms for {f.agreement()}{f.day('from_at', ', from ')}",
    "contracts.sign": lambda f: f"signed {f.proposal()}",
    "contracts.end_proposal": lambda f: f"ended {f.proposal()} unsigned{f.text('reason', ': ')}",
    "contracts.end": lambda f: f"ended {f.agreement()}{f.day('at', ' as of ')}{f.text('reason', ': ')}",
    "contracts.attest": lambda f: f"said what happened{f.count('events').replace('line', 'event')}",
    "contracts.confirm_result": lambda f: "confirmed what a clause came to",
    "contracts.dispute": lambda f: f"objects to what a clause came to{f.text('reason', ': ')}",
    "contracts.answer_dispute": _answer,
    "contracts.decide": lambda f: f"decided {f.dispute()}{f.text('reason', ': ')}",
    "contracts.withdraw_dispute": lambda f: f"withdrew {f.dispute()}",
    "accounts.invoice": lambda f: f"billed{f.others(' ')}{_gross(f)}{f.text('number', ', invoice ')}",
    "accounts.credit_note": lambda f: f"credited{f.others(' ')}{_gross(f)}{f.text('reason', ': ')}",
    "accounts.pay": _pay,
    "accounts.receive_payment": lambda f: f"has received{f.price('amount_minor', ' ') or ' a payment'}"
        f"{f.others(' from ')}",
    "accounts.set_terms": _terms,
    "accounts.book": lambda f: f"took documents of its own system into its books{f.count()}",
    "accounts.assign": lambda f: "proposed that a debt passes to another" + f.price("amount_minor", ": "),
    "accounts.accept_assignment": lambda f: "accepted that a debt passes",
    "accounts.hold_escrow": lambda f: f"asked for{f.price('amount_minor', ' ') or ' money'} to be held for order"
        f" {f.order()}",
    "accounts.accept_escrow": lambda f: "holds the money",
    "accounts.netting_open": lambda f: f"opened netting cycle {f['cycle']}{f.day('submit_by', ', balances until ')}",
    "accounts.netting_submit": lambda f: f"stated its balances for cycle {f['cycle']}",
    "accounts.netting_close": lambda f: f"stated the result of cycle {f['cycle']}",
    "accounts.netting_sign": lambda f: f"has checked its result of cycle {f['cycle']} and signed it",
    "group.charter": lambda f: f"made the group a buying group{f.text('name', ': ')}",
    "group.join": lambda f: f"joined group {f['group']}",
    "group.leave": lambda f: f"left group {f['group']}",
    "group.open_round": lambda f: f"opened purchasing round {f['round']}{f.item()}{f.day('commit_by')}",
    "group.commit": _commit,
    "group.tell_round": lambda f: f"told the group how far round {f['round']} has come"
        f"{f.each('total_each', ': ')}",
    "group.close_round": lambda f: f"closed round {f['round']}{f.each('total_each', ' with ')}",
    "group.set_rebate": lambda f: f"stated rebate {f['rebate']}{f.party('supplier', ' of ')} to the group",
    "group.report_purchases": lambda f: f"told the manager what it bought under rebate {f['rebate']}",
    "group.tell_rebate": lambda f: f"told the group what was bought under rebate {f['rebate']}",
    "group.statement": lambda f: f"stated a share of rebate {f['rebate']}{f.price('share_minor', ': ')}"
        if f["rebate"] else "stated a member’s share of a rebate",
    "plans.open": lambda f: f"asked for plans, window {f['window']}{f.day('ends_at')}",
    "plans.add_lines": lambda f: f"added to the question of window {f['window']}",
    "plans.propose": lambda f: f"proposed plan {f['plan']}"
        + _percent(f["gap_ppm"], ", above the best possible by at most "),
    "plans.add_assignments": lambda f: f"added to plan {f['plan']}",
    "plans.attest": _attest_plan,
    "plans.withdraw": lambda f: f"took plan {f['plan']} back",
    "plans.set_rule": lambda f: "set a rule for what it accepts of its replenishment",
    "plans.end_rule": lambda f: "ended a rule for its replenishment",
}  # fmt: skip
"""Kind -> what was done, behind the signer's name and before the full stop."""
WAITS = {
    "contracts.beat": "Agreements between some firms were checked for what has come due.",
    "accounts.netting_waits": "A term of netting cycle {} has ended.",
    "accounts.assignment_unaccepted": "The hand-over of a debt was not answered in time: {}.",
    "accounts.escrow_ends": "Escrow {} has ended.",
    "accounts.payment_unanswered": "Payment {} was not answered in time.",
    "group.round_waits": "A term of purchasing round {} has ended.",
    "plans.window_over": "Window {} is closed: the best attested plan has won.",
}
"""Timer name -> sentence."""
