"""`hanse plan`: re-source all open lines of a firm or a group, prove how good the plan is, turn it into orders."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter
from cyclopts.types import PositiveFloat

from hanse.cli.shell import DONE, HERE, WRONG, Answer, Data, Positive, progress
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk, Who
from hanse.node.node import Node
from hanse.rooms.plans.queries import PlanPage, Served, plan_page, planning_circles
from hanse.web.formats import DECIMALS

LINES_SHOWN = 40


def mount(app: App) -> None:
    """Add this file's command."""
    app.command(plan)


def plan(
    *,
    data: Data = HERE,
    party: Annotated[str, Parameter(name="--as")],
    circle: str = "",
    seconds: PositiveFloat = 10.0,
    seed: int = 0,
    currency: str = "",
    window_minutes: Positive = 10,
    apply: Annotated[bool, Parameter(negative="")] = False,
    attest: Annotated[bool, Parameter(negative="")] = False,
    recheck: Annotated[bool, Parameter(negative="")] = False,
    all_lines: Annotated[bool, Parameter(negative="")] = False,
) -> Answer:
    """Find the best sources for all open lines, and prove how good the plan is.

    In your own book these are your customers' orders that you have not confirmed; in a group the members' wants. The
    plan is proposed with prices that prove a bound: no plan at all can cost less. Ctrl-C ends the search and keeps the
    best plan so far.

    Parameters
    ----------
    party
        For which firm; this node must hold its keys.
    circle
        A group of the firm's, by id or name; without it the firm's own open orders are planned.
    seconds
        How long to search.
    seed
        Of the search; the same seed and time need not give the same plan, only as good a one.
    currency
        Plan lines of this currency; without it the most frequent one.
    window_minutes
        How long others may propose a better plan.
    apply
        Turn the plan into orders: own stock is confirmed, the rest is bought.
    attest
        Do not plan: recompute every standing plan that the firm may read, and attest it good or bad.
    recheck
        Do not plan: recompute every plan that the firm may read. Exit code 1 where one does not hold.
    all_lines
        Show every line, not the first forty.
    """
    with Node(data, helper=False) as node:
        desk = _desk(node, party)
        if attest:
            return _attested(desk)
        if recheck:
            return _rechecked(desk)
        return _planned(desk, _circle(desk, circle), seconds, seed, currency, window_minutes * 60, apply, all_lines)


def _desk(node: Node, party: str) -> Desk:
    if node.wallet.key_of(party) is None:
        raise Refused("node.no_key", "this node holds no key of that party", got=party)
    return Desk(node, Who(party))


def _circle(desk: Desk, named: str) -> str:
    if not named:
        return ""
    known = planning_circles(desk.view)
    for circle, name in known:
        if named in (circle, name):
            return circle
    raise Refused("plans.not_here", "no group of yours is called so", got=named,
                  expected=", ".join(name for _, name in known))  # fmt: skip


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, in place of an interruption."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _planned(
    desk: Desk, circle: str, seconds: float, seed: int, currency: str, window_seconds: int, apply: bool, all_lines: bool
) -> Answer:
    from hanse.node import planning_orders, planning_run
    from hanse.node.planning_work import Stage

    with _stopping() as stop, progress() as step:

        def told(stage: Stage) -> None:
            proven = min(1000, stage.gap_ppm // 1000) if stage.gap_ppm >= 0 else 1000
            step(
                f"{stage.stage}: cost {money(stage.cost_minor, stage.currency)}, gap {stage.gap_ppm / 1e4:.2f}%",
                1000 - proven,
                1000,
            )

        way = planning_run.Way(seconds=seconds, seed=seed, progress=told, cancel=stop.is_set)
        found = planning_run.plan(desk, circle, way=way, currency=currency, window_seconds=window_seconds)
    page = plan_page(desk.view, found.plan)
    assert page is not None, "the desk's party proposed it"
    done = planning_orders.apply(desk, found.plan) if apply else []
    document = {**msgspec.to_builtins(found), "scarce": msgspec.to_builtins(page.scarce),
                "sources": msgspec.to_builtins(page.served), "applied": msgspec.to_builtins(done)}  # fmt: skip
    return Answer(document, _told(found, page, done, None if all_lines else LINES_SHOWN))


def money(minor: int, currency: str) -> str:
    """An amount for people.

    >>> money(-123456, "EUR"), money(1234, "JPY")
    ('-1,234.56 EUR', '1,234 JPY')
    """
    digits = DECIMALS.get(currency, 2)
    return f"{minor / 10**digits:,.{digits}f} {currency}"


def _told(found: Any, page: PlanPage, done: list[Any], shown: int | None) -> str:
    unit = found.currency
    lines = [
        f"{found.lines:,} lines, {found.options:,} ways to serve them; {found.served_each:,} of {found.asked_each:,} "
        "each served",
        f"cost {money(found.cost_minor, unit)}; no plan costs less than {money(found.bound_minor, unit)}: "
        f"within {found.gap_ppm / 10_000:.2f}% of the best",
        f"plan {found.plan} in window {found.window}" + ("" if found.finished else " (the search was stopped)"),
        "attested by " + (", ".join(found.attested) or "nobody yet"),
    ]
    for one in found.refused:
        lines.append(f"refused and planned again: line {one.line}, {one.each:,} each from {one.offer} ({one.why})")
    if found.left_out:
        why: dict[str, int] = {}
        for left in found.left_out:
            why[left.why] = why.get(left.why, 0) + 1
        lines.append("not planned: " + ", ".join(f"{count:,} lines ({name})" for name, count in sorted(why.items())))
    if page.scarce:
        lines += ["", "scarce, and what one more each would be worth:"]
        lines += [
            f"  {one.item_name:<28} {one.source_name:<28} {one.each:>8,} each  {money(one.price_minor, unit):>16}"
            for one in page.scarce[:10]
        ]
    lines.append("")
    lines += [_line(line, unit) for line in page.served[:shown]]
    if shown is not None and len(page.served) > shown:
        lines.append(f"... and {len(page.served) - shown:,} lines more; see them with --all-lines or --json")
    for order in done:
        placed = f"ordered {', '.join(order.orders)}" if order.orders else ""
        own = f"confirmed {order.confirmed_each:,} each from own stock" if order.confirmed_each else ""
        lines.append(f"{order.reference}: " + "; ".join([text for text in (own, placed, *order.failed) if text]))
    return "\n".join(lines)


def _line(line: Served, unit: str) -> str:
    parts = [f"{p.each:,} from {p.place or p.source_name}" + (f" (refused: {p.refused})" if p.refused else "")
             for p in line.parts]  # fmt: skip
    if line.short_each:
        parts.append(f"{line.short_each:,} unserved")
    other = line.next_best
    tail = f"; next best {other.place}, {money(other.extra_minor, unit)} more" if other else ""
    return f"  {line.reference:<24} {line.item_name:<24} {line.each:>6,} each: {', '.join(parts)}{tail}"


def _attested(desk: Desk) -> Answer:
    from hanse.node import planning_run

    told = planning_run.attest_open(desk)
    text = "\n".join(f"{name}: {'good' if good else 'BAD'}" for name, good in told.items())
    return Answer(told, text or "no plan waits for your attestation")


def _rechecked(desk: Desk) -> Answer:
    from hanse.rooms.plans.checking import recheck_all

    found = recheck_all(desk.view)
    bad = [one for one in found if not one.ok]
    lines = [f"{one.plan}: {'holds' if one.ok else 'WRONG: ' + '; '.join(one.faults)}" for one in found]
    return Answer(found, "\n".join(lines) or "there is no plan that you may read", WRONG if bad else DONE)
