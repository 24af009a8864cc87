"""How writing, verifying, rebuilding, reading and memory grow with the record: a table and a picture.

    python -m bench.growth [--top 1000000] [--seconds 20] [--readers 50] [--writes 500] [--draw FILE]

One record grows to 10^4, 10^5, ... entries. At each size it is verified and rebuilt (`bench.verify`), read by many as
it is written (`bench.read`) and written on (`bench.commit`: signed singly, and at 1,000 facts a second): each by the
benchmark of that name, so each goal is that benchmark's. Reading and writing add some 42,000 entries, which counts at
the first size only. Beside it what limits it: signatures verified a second.
Writes bench/out/growth.json and growth.svg; `--draw` draws the figures of an earlier run again, and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from bench import commit, read, verify
from bench.common import OUT, Network, machine, write
from bench.growth_picture import svg
from hanse.node.node import Node

ORDERS = 4_000
"""Written on at each size, five facts each, for the rate."""
LATENCY_SECONDS = 10
PAGES = ("today", "find", "order page", "orders", "stock", "stock card", "history")


def filled(directory: Path, entries: int) -> int:
    """Let the record grow to so many entries; how many it has."""
    with Node(directory, create=not directory.exists()) as node:
        net = Network(node, sellers=4, buyers=8, items=60)
        net.fill(net.orders * 5 + max(0, entries - node.log.size))
        return node.log.size


def written(directory: Path) -> dict[str, Any]:
    """Write on: the rate, and latency at 1,000 facts a second."""
    with Node(directory) as node:
        net = Network(node, sellers=4, buyers=8, items=60)
        commit.singly(net, 200)  # warm
        rate = commit.singly(net, ORDERS)["facts_per_s"]
        waits = commit.latency(net, 1_000, LATENCY_SECONDS)
    return {"written_per_s": rate, "p50_ms": waits["p50_ms"], "p99_ms": waits["p99_ms"]}


def at_size(directory: Path, entries: int, asked: argparse.Namespace) -> dict[str, Any]:
    """All figures of one size: verified and rebuilt as it stands, then read and written on."""
    row: dict[str, Any] = {"entries": filled(directory, entries)}
    for what, found in verify.steps(directory, row["entries"]).items():
        row |= (
            {f"{what}_{name}": figure for name, figure in found.items()} if isinstance(found, dict) else {what: found}
        )
    shown = read.run(argparse.Namespace(data=str(directory), facts=0, processes=1, **vars(asked)))
    row |= {"p95_ms": {name: shown[name]["p95_ms"] for name in PAGES}, "beside_reading_per_s": shown["entries_per_s"]}
    return row | written(directory)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = {"top": 1_000_000, "seconds": 20, "readers": 50, "writes": 500}
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--draw", default="", help="a growth.json to draw again")
    asked = parser.parse_args()
    if asked.draw:
        figures = json.loads(Path(asked.draw).read_text())
    else:
        figures = {"ed25519_limit_per_s": commit.signature_limit(), "rows": []}
        reading = argparse.Namespace(seconds=asked.seconds, readers=asked.readers, writes=asked.writes)
        with tempfile.TemporaryDirectory(prefix="hanse-bench-") as scratch:
            for size in (10**power for power in range(4, len(str(asked.top)))):
                figures["rows"].append(at_size(Path(scratch) / "data", size, reading))
                print(figures["rows"][-1], flush=True)
        write("growth", figures)
    (OUT / "growth.svg").write_text(svg(figures["rows"]), encoding="utf-8")
    print(figures.get("machine") or machine(), figures["ed25519_limit_per_s"])


if __name__ == "__main__":
    main()
