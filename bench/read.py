"""Reading while writing: p50 and p95 of Find, order page, stock card and history over HTTP, with concurrent readers.

    python -m bench.read [--facts 50000] [--readers 50] [--seconds 10] [--writes 500] [--data DIR]

The server runs in a process of its own beside the writer, as `hanse serve` does; readers are threads of this process
with one connection each, who look at a page for a second before they open the next. Peer: `/healthz`,
which reads nothing.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from bench.common import Network, machine, write
from hanse.node.node import Node

PORT = 8199


def server(directory: str, facts: int, writes_per_s: int, told: Any) -> None:
    """Fill, seat one person, serve, and keep writing at a fixed rate."""
    import uvicorn

    from hanse.site import build_site
    from hanse.web import AccountStore, create_app

    with Node(directory, create=not (Path(directory) / "hanse.json").exists()) as node:
        net = Network(node, sellers=4, buyers=8, items=60)
        waiting: list[Any] = []
        while net.orders * 5 < facts:
            waiting += [node.path.submit(node.wallet.sign(party, fact)) for party, fact in net.order()]
            if len(waiting) >= 4_000:
                [future.result(120) for future in waiting]
                waiting = []
        [future.result(120) for future in waiting]
        accounts = AccountStore(Path(directory) / "accounts.db")
        user = accounts.add_user(f"reader-{time.time_ns()}@bench.example", "Reader")
        accounts.add_membership(user, net.buyers[0], "owner")
        raw = accounts.sessions.start(user, net.buyers[0], complete=True, address="", agent="")
        app = create_app(build_site(node, accounts, secure=False, requests_per_minute=10**9))
        orders = [f"order-{n:08d}" for n in range(0, net.orders, len(net.buyers))]
        told.put({"session": raw, "orders": orders, "entries": node.log.size, "item": net.items[7]})
        threading.Thread(target=_write, args=(node, net, writes_per_s), daemon=True).start()
        uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="error", access_log=False)


def _write(node: Node, net: Network, per_s: int) -> None:
    while per_s:
        started = time.perf_counter()
        for party, fact in (pair for _ in range(max(1, per_s // 50)) for pair in net.order()):
            node.path.submit(node.wallet.sign(party, fact))
        time.sleep(max(0.0, 0.1 - (time.perf_counter() - started)))


def reader(paths: dict[str, list[str]], session: str, until: float, into: dict[str, list[float]]) -> None:
    dice = random.Random(threading.get_ident())
    with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", cookies={"hanse": session}, timeout=30) as client:
        while time.perf_counter() < until:
            name = dice.choice(list(paths))
            started = time.perf_counter()
            answer = client.get(dice.choice(paths[name]))
            into[name].append(time.perf_counter() - started)
            assert answer.status_code == 200, (name, answer.status_code)
            time.sleep(dice.uniform(0.5, 1.5))  # people look at a page before they open the next


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("facts", 50_000), ("readers", 50), ("seconds", 10), ("writes", 500)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--data", default="", help="DIR/data of bench.verify --keep DIR")
    asked = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()
    with tempfile.TemporaryDirectory(prefix="hanse-bench-") as scratch:
        data = asked.data or f"{scratch}/data"
        process = context.Process(target=server, args=(data, asked.facts, asked.writes, told), daemon=True)
        process.start()
        about = told.get(timeout=1800)
        time.sleep(3)
        paths = {
            "find": [f"/find?q={about['item']}"],
            "order page": [f"/orders/o/{order}" for order in about["orders"][-500:]],
            "orders": ["/orders"],
            "stock": ["/stock"],
            "history": [f"/history/{at}" for at in range(100, about["entries"], 997)],
            "healthz (peer)": ["/healthz"],
        }
        waits: dict[str, list[float]] = {name: [] for name in paths}
        until = time.perf_counter() + asked.seconds
        threads = [
            threading.Thread(target=reader, args=(paths, about["session"], until, waits)) for _ in range(asked.readers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        process.terminate()
        process.join()
    figures: dict[str, Any] = {"entries": about["entries"], **vars(asked)}
    for name, seconds in waits.items():
        listed = sorted(seconds)
        if listed:
            at = {q: round(listed[int(q / 100 * (len(listed) - 1))] * 1e3, 1) for q in (50, 95)}
            figures[name] = {"requests": len(listed), "p50_ms": at[50], "p95_ms": at[95]}
    write("read", figures)
    print(machine())
    for name, value in figures.items():
        print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
