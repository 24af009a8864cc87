"""What entries of contracts, accounts, groups and plans say, as `sentences` says it of the trade itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hanse.rooms.accounts.ledger import OUTSIDE
from hanse.rooms.contracts.rows import TEMPLATES
from hanse.site import names

if TYPE_CHECKING:
    from hanse.site.sentences import Figures

Say = Callable[["Figures"], str]


def _percent(ppm: Any, before: str) -> str:
    return f"{before}{ppm / 10_000:g}%" if isinstance(ppm, int) else ""


def _gross(f: Figures) -> str:
    return f.price("gross_minor", " over ")


def _cycle(f: Figures) -> str:
    return f.called("cycle", "a netting cycle")


def _round(f: Figures) -> str:
    return f.called("round", "a purchasing round")


def _rebate(f: Figures) -> str:
    return f.called("rebate", "a rebate")


def _plan(f: Figures) -> str:
    return f.called("plan", "a plan")


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
    said = {True: "found {} as good as it says", False: "found {} not to be what it says"}
    return said.get(f["good"], "has checked {}").format(_plan(f))


def _for(f: Figures) -> str:
    whose = names.circle_words(f.view, f.entry.circle)
    return f" for {whose}" if whose else ""


def _propose_plan(f: Figures) -> str:
    plan = f"a plan{_for(f)}" if _for(f) else _plan(f)
    return f"proposed {plan}{_percent(f['gap_ppm'], ', above the best possible by at most ')}"


def _commit(f: Figures) -> str:
    if f["each"] == 0:
        return f"withdrew from {_round(f)}"
    return f"committed{f.each() or ' a quantity'} to {_round(f)}"


def _terms(f: Figures) -> str:
    partner = str(f["partner"] or "")
    who = " all without their own" if partner == "*" else f.party("partner").replace(f" {OUTSIDE}", " ", 1)
    return f"set its terms for{who or ' a partner'}{f.price('credit_limit_minor', ': credit up to ')}"


def _template(f: Figures) -> str:
    row = f.view.get(TEMPLATES, str(f["sha256"]))
    return f"registered a template of contracts{f': {row.title}' if row else ''}"


def _object(f: Figures) -> str:
    what = f.awards("") or "what a clause came to"
    return f"objects to {what[:1].lower()}{what[1:]}{f.text('reason', ': ')}"


SAYS: dict[str, Say] = {
    "contracts.register_template": _template,
    "contracts.propose": _propose,
    "contracts.counter": lambda f: f"answered a proposal for {f.agreement()} with other terms",
    "contracts.amend": lambda f: f"proposed other terms for {f.agreement()}{f.day('from_at', ', from ')}",
    "contracts.sign": lambda f: f"signed {f.proposal()}",
    "contracts.end_proposal": lambda f: f"ended {f.proposal()} unsigned{f.text('reason', ': ')}",
    "contracts.end": lambda f: f"ended {f.agreement()}{f.day('at', ' as of ')}{f.text('reason', ': ')}",
    "contracts.attest": lambda f: f"said what happened{f.count('events').replace('line', 'event')}",
    "contracts.confirm_result": lambda f: f"confirmed what a clause came to{f.awards()}",
    "contracts.dispute": _object,
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
    "accounts.assign": lambda f: f"proposed that {f.known('assignment', unknown='a debt')} passes to another",
    "accounts.accept_assignment": lambda f: f"accepted that {f.known('assignment', unknown='a debt')} passes",
    "accounts.hold_escrow": lambda f: f"asked for{f.price('amount_minor', ' ') or ' money'} to be held for order"
        f" {f.order()}",
    "accounts.accept_escrow": lambda f: f"holds the money{f.known('escrow', ' of ')}",
    "accounts.netting_open": lambda f: f"opened {_cycle(f)}{f.day('submit_by', ', balances until ')}",
    "accounts.netting_submit": lambda f: f"stated its balances for {_cycle(f)}",
    "accounts.netting_close": lambda f: f"stated the result of {_cycle(f)}",
    "accounts.netting_sign": lambda f: f"has checked its result of {_cycle(f)} and signed it",
    "group.charter": lambda f: f"made the group a buying group{f.text('name', ': ')}",
    "group.join": lambda f: f"joined {f.called('group', 'a group')}",
    "group.leave": lambda f: f"left {f.called('group', 'a group')}",
    "group.open_round": lambda f: f"opened {_round(f)}{f.day('commit_by')}",
    "group.commit": _commit,
    "group.tell_round": lambda f: f"told the group how far {_round(f)} has come"
        f"{f.each('total_each', ': ')}",
    "group.close_round": lambda f: f"closed {_round(f)}{f.each('total_each', ' with ')}",
    "group.set_rebate": lambda f: f"stated {_rebate(f)} to the group",
    "group.report_purchases": lambda f: f"told the manager what it bought under {_rebate(f)}",
    "group.tell_rebate": lambda f: f"told the group what was bought under {_rebate(f)}",
    "group.statement": lambda f: f"stated a share of {_rebate(f)}{f.price('share_minor', ': ')}"
        if f["rebate"] else "stated a member’s share of a rebate",
    "plans.open": lambda f: f"asked for plans{_for(f) or f.called('window', '', ' in ')}{f.day('ends_at')}",
    "plans.add_lines": lambda f: f"added to the question of {f.called('window', 'a window')}",
    "plans.propose": _propose_plan,
    "plans.add_assignments": lambda f: f"added to {_plan(f)}",
    "plans.attest": _attest_plan,
    "plans.withdraw": lambda f: f"took {_plan(f)} back",
    "plans.set_rule": lambda f: "set a rule for what it accepts of its replenishment",
    "plans.end_rule": lambda f: "ended a rule for its replenishment",
}  # fmt: skip
"""Kind -> what was done, behind the signer's name and before the full stop."""
WAITS = {
    "contracts.beat": "Agreements between some firms were checked for what has come due.",
    "accounts.netting_waits": "A term of {} has ended.",
    "accounts.assignment_unaccepted": "{} was not answered in time.",
    "accounts.escrow_ends": "{} has ended.",
    "accounts.payment_unanswered": "Payment {} was not answered in time.",
    "group.round_waits": "A term of {} has ended.",
    "plans.window_over": "{} is closed: the best attested plan has won.",
}
"""Timer name -> sentence."""
WAITS_FOR = {
    "accounts.netting_waits": "cycle", "accounts.assignment_unaccepted": "assignment", "accounts.escrow_ends": "escrow",
    "group.round_waits": "round", "plans.window_over": "window",
}  # fmt: skip
"""Timer name -> what it names, as the figures of facts name it."""
