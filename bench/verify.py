"""Offline verification and rebuild of a record of three-line orders, counts and deliveries: entries a second, memory.

    python -m bench.verify [--facts 50000] [--keep DIR | --data DIR]

Memory is that of the process itself, and the sum with the largest of those that it starts. Beside it the limit:
verifying the same number of signatures and nothing else.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.commit import signature_limit
from bench.common import Network, machine, write
from hanse.node.node import Node
from hanse.node.stored import RECORD
from hanse.record.segment import Segment


def fill(directory: Path, facts: int) -> int:
    """A record with at least so many facts; its entries."""
    with Node(directory, create=True) as node:
        Network(node, sellers=4, buyers=8, items=60).fill(facts)
        return node.log.size


def measured(directory: Path, what: str) -> dict[str, Any]:
    """Run one step in a process of its own; its seconds and its peak resident memory."""
    code = f"from bench.verify import step; step({what!r}, {str(directory)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, own, beside = done.stdout.split()
    return {"seconds": float(seconds), "peak_mib": int(own), "peak_mib_with_largest_beside": int(own) + int(beside)}


def step(what: str, directory: str) -> None:
    """What `measured` runs: prints seconds, its own peak in MiB and the largest child's.

    Its own is what Linux tells of this program (VmHWM): what `getrusage` tells counts the process that started it too,
    up to the moment when this program took its place. The child's is told by `getrusage` alone, and so at the most.
    """
    started = time.perf_counter()
    if what == "verify":
        from hanse.node.verify import verify

        found = verify(directory)
        assert found.ok, found.findings
    else:
        with Node(directory, rebuild=True, helper=False) as node:
            assert node.rebuilt == node.log.size
    seconds = time.perf_counter() - started
    own = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(
        round(seconds, 2), int(own.split()[1]) // 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    )


def run(facts: int, keep: str = "") -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="hanse-bench-") as scratch:
        directory = Path(keep or scratch) / "data"
        directory.parent.mkdir(exist_ok=True)
        started = time.perf_counter()
        entries = fill(directory, facts)
        filled = round(time.perf_counter() - started, 1)
        return {"entries": entries, "fill_seconds": filled, **steps(directory, entries)}


def steps(directory: Path, entries: int) -> dict[str, Any]:
    """Verify and rebuild what stands in a directory."""
    figures: dict[str, Any] = {}
    for what in ("verify", "rebuild"):
        figures[what] = measured(directory, what)
        figures[what]["entries_per_s"] = round(entries / figures[what]["seconds"])
    size = sum(f.stat().st_size for f in directory.rglob("*") if f.is_file())
    return {**figures, "bytes_per_entry": size // entries}


def entries_of(directory: Path) -> int:
    segment = Segment.open(directory / RECORD, read_only=True)
    segment.abandon()
    return segment.size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, default=50_000)
    parser.add_argument("--keep", default="", help="leave the record in this new directory, for bench.read")
    parser.add_argument("--data", default="", help="measure the record in this directory, and make none")
    asked = parser.parse_args()
    if asked.data:
        entries = entries_of(Path(asked.data))
        found = {"entries": entries, **steps(Path(asked.data), entries)}
    else:
        found = run(asked.facts, asked.keep)
    figures = {"ed25519_limit_per_s": signature_limit(), **found}
    write("verify", figures)
    print(machine())
    for name, value in figures.items():
        print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
