"""The single-writer path, durable, from the engine's door: facts a second, and latency at a fixed rate.

    python -m bench.commit [--orders 4000]

Mix, signed singly: for every three-line order (three reservations) its confirmation, shipment, receipt, and one count.
Mix, signed in batches of 1,000: a three-line order and four counts (what binds money may not be batched).
Beside it: the Ed25519 limit (of all cores and of one, nothing else), SQLite doing the same checks without signatures,
record or privacy, and an order endpoint of SQLAlchemy on PostgreSQL where both are installed.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from bench.common import DAY, Network, machine, network, write
from hanse.engines.replies import Reply
from hanse.node.wallet import Presentation
from hanse.record import ed25519


def singly(net: Network, orders: int) -> dict[str, Any]:
    """Sign first, then submit all and wait for the last receipt."""
    started = time.perf_counter()
    signed = [net.node.wallet.sign(party, fact) for _ in range(orders) for party, fact in net.order()]
    signing = len(signed) / (time.perf_counter() - started)
    rate, cpu = _through(net, [[one] for one in signed])
    return {"facts": len(signed), "facts_per_s": rate, "cpu_us_per_fact": cpu, "signing_per_s": round(signing)}


def batched(net: Network, orders: int) -> dict[str, Any]:
    """The same door, one signature a thousand facts of one speaker."""
    groups: dict[str, list[Any]] = {}
    for n in range(orders):
        (buyer, place), *_ = net.order()
        groups.setdefault(f"{buyer}|{place.circle}", []).append((buyer, place))
        seller = net.sellers[n % len(net.sellers)]
        groups.setdefault(seller, []).extend((seller, net.count(seller, n * 4 + k)) for k in range(4))
    batches: list[list[Presentation]] = []
    for group in groups.values():
        for start in range(0, len(group), 1000):
            part = group[start : start + 1000]
            batches.append(net.node.wallet.sign_batch(part[0][0], [fact for _, fact in part]))
    rate, cpu = _through(net, batches)
    return {"facts": sum(map(len, batches)), "facts_per_s": rate, "cpu_us_per_fact": cpu}


def _through(net: Network, signed: list[list[Presentation]]) -> tuple[int, float]:
    """Submit, each list at once, and wait for all receipts: facts a second, CPU of the node's own process."""
    started, cpu = time.perf_counter(), time.process_time()
    replies = [reply for part in signed for reply in net.node.path.submit_all(part)]
    refusals = [r for reply in replies if (r := reply.result(120).first_refusal)]
    seconds = time.perf_counter() - started
    assert not refusals, f"{len(refusals)} of {len(replies)} were refused, first: {refusals[0]}"
    return round(len(replies) / seconds), round((time.process_time() - cpu) / len(replies) * 1e6, 1)


def latency(net: Network, rate: int, seconds: int) -> dict[str, Any]:
    """Open loop: facts offered at a fixed rate; time from the moment each was due until its receipt."""
    mix = [net.order() for _ in range(rate * seconds // 5)]
    signed = [net.node.wallet.sign(party, fact) for order in mix for party, fact in order]
    done = [0.0] * len(signed)

    def note(i: int, _: Reply[Any]) -> None:
        done[i] = time.perf_counter()

    start = time.perf_counter() + 0.1
    for i, presentation in enumerate(signed):
        while (now := time.perf_counter()) < start + i / rate:
            time.sleep(min(0.001, start + i / rate - now))
        reply = net.node.path.submit(presentation)
        reply.add_done_callback(lambda f, i=i: note(i, f))  # type: ignore[misc]
    while not all(done):
        time.sleep(0.01)
    waits = sorted(d - (start + i / rate) for i, d in enumerate(done))
    at = lambda q: round(waits[int(q * (len(waits) - 1))] * 1e3, 1)  # noqa: E731
    return {"offered_per_s": rate, "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1)}


def _verify(checks: list[tuple[bytes, bytes, bytes]]) -> int:
    return sum(ed25519.verify(*check) for check in checks)


def signature_limit(cores: int = os.cpu_count() or 1, count: int = 40_000) -> int:
    """Verifications a second on so many cores, 600-byte messages, doing nothing else."""
    seed, message = bytes(range(32)), os.urandom(600)
    check = (ed25519.public_key_of(seed), message, ed25519.sign(seed, message))
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(_verify, [[check] * 10] * cores))
        started = time.perf_counter()
        list(pool.map(_verify, [[check] * (count // cores)] * cores))
        return round(count / (time.perf_counter() - started))


def plain_sqlite(orders: int) -> int:
    """Peer: the same stock checks and order rows in plain SQLite, a durable commit every 1,000 facts, no signatures."""
    with tempfile.TemporaryDirectory() as scratch:
        conn = sqlite3.connect(f"{scratch}/peer.db", isolation_level=None)
        conn.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE offer (id INTEGER PRIMARY KEY, each INTEGER, reserved INTEGER, taken INTEGER);"
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT, buyer TEXT, seller TEXT, placed INTEGER);"
            "CREATE TABLE line (order_id INTEGER, line INTEGER, offer INTEGER, each INTEGER, price INTEGER,"
            " shipped INTEGER, received INTEGER, PRIMARY KEY (order_id, line)) WITHOUT ROWID;"
            "CREATE TABLE count (id INTEGER PRIMARY KEY, item INTEGER, each INTEGER);"
        )
        conn.executemany("INSERT INTO offer VALUES (?, ?, 0, 0)", [(i, 10**9) for i in range(2000)])
        started, facts = time.perf_counter(), 0
        conn.execute("BEGIN")
        for n in range(orders):
            for step in range(5):
                _peer_step(conn, n, step)
                facts += 1
                if facts % 1000 == 0:
                    conn.execute("COMMIT")
                    conn.execute("BEGIN")
        conn.execute("COMMIT")
        return round(facts / (time.perf_counter() - started))


def _peer_step(conn: sqlite3.Connection, n: int, step: int) -> None:
    offers = [(n * 7 + k * 13) % 2000 for k in range(3)]
    if step == 0:
        for offer in offers:
            each, reserved, taken = conn.execute(
                "SELECT each, reserved, taken FROM offer WHERE id = ?", (offer,)
            ).fetchone()
            assert each - reserved - taken >= 2
            conn.execute("UPDATE offer SET reserved = reserved + 2 WHERE id = ?", (offer,))
        conn.execute("INSERT INTO orders VALUES (?, 'placed', 'b', 's', ?)", (n, DAY))
        conn.executemany("INSERT INTO line VALUES (?, ?, ?, 2, 900, 0, 0)", [(n, k, o) for k, o in enumerate(offers)])
    elif step == 1:
        conn.execute("UPDATE orders SET state = 'confirmed' WHERE id = ? AND state = 'placed'", (n,))
    elif step == 2:
        conn.execute("UPDATE line SET shipped = each WHERE order_id = ?", (n,))
        conn.executemany(
            "UPDATE offer SET reserved = reserved - 2, taken = taken + 2 WHERE id = ?", [(o,) for o in offers]
        )
    elif step == 3:
        conn.execute("UPDATE line SET received = shipped WHERE order_id = ?", (n,))
        conn.execute("UPDATE orders SET state = 'received' WHERE id = ?", (n,))
    else:
        conn.execute("INSERT INTO count VALUES (?, ?, ?)", (n, offers[0], 10**9))


def framework(orders: int) -> str | dict[str, Any]:
    """Peer: order requests by SQLAlchemy on PostgreSQL; `BENCH_POSTGRES` names a database, else one is started."""
    try:
        from bench.peer_sqlalchemy import cluster, measure
    except ImportError as error:
        return f"skipped: {error}; install the extra `bench`"
    if address := os.environ.get("BENCH_POSTGRES"):
        return measure(address, orders)
    try:
        with cluster() as address:
            return measure(address, orders)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        return f"skipped: {error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=4000)
    orders = parser.parse_args().orders
    limit, limit_of_one = signature_limit(), signature_limit(1)
    figures: dict[str, Any] = {"orders": orders, "ed25519_limit_per_s": limit, "of_one_core_per_s": limit_of_one}
    with network() as net:
        singly(net, 200)  # warm
        figures["singly"] = singly(net, orders)
        figures["batched"] = batched(net, orders)
        figures["latency"] = latency(net, 1000, 10)
    figures["plain_sqlite_per_s"] = plain_sqlite(orders)
    figures["sqlalchemy_postgresql"] = framework(min(orders, 1000))
    rate = figures["singly"]["facts_per_s"]
    figures["limit_by_singly"] = {"all_cores": round(limit / rate, 2), "one_core": round(limit_of_one / rate, 2)}
    write("commit", figures)
    print(machine())
    for name, value in figures.items():
        print(f"{name:28} {value}")


if __name__ == "__main__":
    main()
