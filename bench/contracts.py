"""Clause evaluations per second beside two CEL libraries: `python -m bench.contracts [--seconds S] [--repeat N]`; and
with `--deliveries N` what agreements in force add to a delivery, profiled (`bench/contracts_delivery.py`).

The clause is late delivery's nine steps (`hanse/rooms/contracts/library/late-delivery.yaml`), over 1,000 made-up
deliveries, early and late. Hanse checks each fact's type and range and each step's range, and gives every step and the
payment; its second row adds the explanation record (canonical JSON, RFC 8785, and its SHA-256). The peers run the same
nine expressions, compiled beforehand, each step's value put into the next one's context; `muldiv`, `ceil_div` and `min`
are Python functions that they call, because CEL has none. Before anything is timed all three must agree on every step.
One process, one core. Medians of repeated runs.
"""

import argparse
import os
import platform
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cel
from cel_expr_python import cel as cpp

from hanse.rooms.contracts.terms import Terms, compile_template, explain
from hanse.rooms.contracts.terms.runtime import ceil_div, muldiv

CLAUSE = Path(__file__).resolve().parents[1] / "hanse/rooms/contracts/library/late-delivery.yaml"
DAY = 86_400
GOAL_PLAIN, GOAL_EXPLAINED = 200_000, 30_000
Facts = dict[str, Any]


def terms() -> Terms:
    """Late delivery under ordinary terms."""
    return compile_template(CLAUSE.read_text()).bind(
        {
            "currency": "EUR", "due_field": "promised_at", "period": "2d", "rate": "10.5%", "cap": "55%",
            "partial": "ceil",
            "terminate_after": "15d", "pay_within": "30d", "force_majeure": True,
        }
    )  # fmt: skip


def deliveries(count: int = 1_000, seed: int = 7) -> list[Facts]:
    """Facts of made-up deliveries: a third early, the others up to 30 days late, one in twenty excused."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        due = 1_700_000_000 + draw.randrange(365 * DAY)
        facts = {"due": due, "received": due + draw.randrange(-15 * DAY, 30 * DAY), "qty": draw.randint(1, 500)}
        facts |= {"price": draw.randint(100, 5_000_000), "excused": draw.random() < 0.05, "fx": 1_000_000}
        found.append(facts)
    return found


def steps(bound: Terms) -> list[tuple[str, str]]:
    """The clause's steps with days(n) as seconds, which CEL would need a duration type for."""
    found = [(name, text.replace("days(1)", str(DAY))) for name, _, text in bound.template.clause("late").steps]
    assert len(found) == 9
    return found


def least(a: int, b: int) -> int:
    """`min` of two, for the peers."""
    return min(a, b)


def run_rust(bound: Terms) -> Callable[[Facts], Facts]:
    """`common-expression-language`: one compiled program a step, one context for the clause."""
    programs = [(name, cel.compile(text)) for name, text in steps(bound)]
    params = dict(bound.params)

    def run(facts: Facts) -> Facts:
        context = cel.Context({**params, **facts})
        for name, function in (("muldiv", muldiv), ("ceil_div", ceil_div), ("min", least)):
            context.add_function(name, function)
        values = {}
        for name, program in programs:
            value = values[name] = program.execute(context)
            context.add_variable(name, value)
        return values

    return run


def run_cpp(bound: Terms) -> Callable[[Facts], Facts]:
    """`cel-expr-python`: one checked environment, one compiled expression a step."""
    kinds = cpp.Type
    integer, text = kinds.INT, kinds.STRING
    functions = [
        cpp.FunctionDecl("muldiv", [cpp.Overload("muldiv_iiis", integer, [integer] * 3 + [text], False, muldiv)]),
        cpp.FunctionDecl("ceil_div", [cpp.Overload("ceil_div_ii", integer, [integer] * 2, False, ceil_div)]),
        cpp.FunctionDecl("min", [cpp.Overload("min_ii", integer, [integer] * 2, False, least)]),
    ]
    flags = {"is_late", "force_majeure", "excused"}
    names = [name for name, _ in steps(bound)] + list(bound.params) + [*deliveries(1)[0]]
    params = {name: value for name, value in bound.params.items() if isinstance(value, int | str)}
    types = {
        name: kinds.BOOL if name in flags else text if isinstance(params.get(name), str) else integer for name in names
    }
    environment = cpp.NewEnv(variables=types, functions=functions)
    programs = [(name, environment.compile(text)) for name, text in steps(bound)]

    def run(facts: Facts) -> Facts:
        data = {**params, **facts}
        values = {}
        for name, program in programs:
            data[name] = values[name] = program.eval(data=data).value()
        return values

    return run


def rate(action: Callable[[Facts], Any], facts: list[Facts], seconds: float, repeat: int) -> tuple[float, float, float]:
    """Evaluations per second: (median, least, most) of `repeat` runs of about `seconds` each."""
    rates = []
    for _ in range(repeat):
        count, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds:
            for one in facts:
                action(one)
            count += len(facts)
        rates.append(count / elapsed)
    return statistics.median(rates), min(rates), max(rates)


def agree(bound: Terms, facts: list[Facts], peers: dict[str, Callable[[Facts], Facts]]) -> None:
    """Every step of every delivery is the same in all implementations, or the bench stops."""
    for one in facts:
        mine = bound.evaluate("late", one).steps
        for name, peer in peers.items():
            assert peer(one) == mine, (name, one)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--deliveries", type=int, default=0)
    options = parser.parse_args()
    bound, facts = terms(), deliveries()
    peers = {"common-expression-language (Rust)": run_rust(bound), "cel-expr-python (C++)": run_cpp(bound)}
    agree(bound, facts, peers)
    rows: dict[str, Callable[[Facts], Any]] = {
        "Hanse, every step": lambda one: bound.evaluate("late", one),
        "Hanse, with explanation record": lambda one: explain(bound.evaluate("late", one)),
        **peers,
    }
    print(
        f"late delivery, nine steps, {len(facts)} deliveries; {os.cpu_count()} cores ({platform.machine()}), one used"
    )
    print(f"Python {platform.python_version()}; all implementations agree on every step of every delivery\n")
    for name, action in rows.items():
        median, low, high = rate(action, facts, options.seconds, options.repeat)
        goal = {"Hanse, every step": GOAL_PLAIN, "Hanse, with explanation record": GOAL_EXPLAINED}.get(name)
        note = f"  goal {goal:,}: {'met' if median >= goal else 'not met'}" if goal else ""
        print(f"{name:36} {median:>10,.0f}/s  ({low:,.0f} to {high:,.0f}){note}")
    start = time.perf_counter()
    compile_template(CLAUSE.read_text())
    print(
        f"\nread, check, compile and run the template's examples once: {1_000 * (time.perf_counter() - start):.0f} ms"
    )
    if options.deliveries:
        from bench.contracts_delivery import table

        table(options.deliveries)


if __name__ == "__main__":
    main()
