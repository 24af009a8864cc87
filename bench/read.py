"""Reading while writing: p50 and p95 of Find, orders, stock cards, history and more over HTTP, many readers at once.

    python -m bench.read [--facts 50000] [--readers 50] [--seconds 10] [--writes 500] [--processes 1] [--data DIR]

The server is the writer's process with so many processes that only read before it, as `hanse serve --readers` has it;
0: the writer's process answers everything itself. First each page is opened by one
client and nothing is written: the server's CPU a page. Then people who look at a page for half a second to one and a
half before they open the next, while facts are signed and written at a fixed rate. The client is cheap, for it runs on
the same cores: one asyncio loop, one kept connection a reader, answers cut out of the stream and not decoded. What it
costs is told as `client_cpu`. Peer: `/healthz`, which reads nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import signal
import socket
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from bench.common import Network, machine, write
from hanse.kernel.refusal import Refused
from hanse.node.node import Node

ALONE = 40
"""How often each page is opened for its CPU."""
WARM = 8
TICK_SECONDS = 0.1


def server(directory: str, facts: int, writes_per_s: int, processes: int, port: int, told: Any) -> None:
    """Fill, seat one person, serve, and keep writing at a fixed rate once told to."""
    import uvicorn

    from hanse.site.readers import Readers, Shown, behind_readers
    from hanse.web import AccountStore

    with Node(directory, create=not (Path(directory) / "hanse.json").exists()) as node, ExitStack() as held:
        net = Network(node, sellers=4, buyers=8, items=60)
        net.fill(facts)
        accounts = AccountStore(Path(directory) / "accounts.db")
        user = accounts.add_user(f"reader-{time.time_ns()}@bench.example", "Reader")
        accounts.add_membership(user, net.buyers[0], "owner")
        raw = accounts.sessions.start(user, net.buyers[0], complete=True, address="", agent="")
        config = uvicorn.Config(_app(node, accounts), port=port, log_level="error", access_log=False)
        pids: list[int] = []
        if processes:
            shown = Shown(directory, ("localhost",), False, requests_per_minute=10**9)
            readers = Readers(shown, "127.0.0.1", port, processes)
            held.callback(readers.close)
            pids, config = readers.pids(), behind_readers(config.app, readers.behind)
        orders = [f"order-{n:08d}" for n in range(0, net.orders, len(net.buyers))]
        about = {
            "port": port,
            "session": raw,
            "orders": orders,
            "entries": node.log.size,
            "items": net.items,
            "pids": pids,
        }
        told.send(about)
        threading.Thread(target=_answer, args=(node, net, writes_per_s, pids, told), daemon=True).start()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run()


def _app(node: Node, accounts: Any) -> Any:
    from hanse.site import build_site
    from hanse.web import create_app

    return create_app(build_site(node, accounts, secure=False, requests_per_minute=10**9))


def _cpu(pids: list[int]) -> float:
    """CPU seconds of this process and of others, threads included."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # proc(5): utime and stime, fields 14 and 15
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def _answer(node: Node, net: Network, writes_per_s: int, pids: list[int], told: Any) -> None:
    """Answer "cpu": seconds of the server so far; "write": begin to; "written": how many entries there are."""
    with suppress(EOFError, ConnectionError):
        while True:
            asked = told.recv()
            if asked == "write" and writes_per_s:
                threading.Thread(target=_write, args=(node, net, writes_per_s), daemon=True).start()
            told.send(_cpu(pids) if asked == "cpu" else node.log.size)


def _write(node: Node, net: Network, per_s: int) -> None:
    """So many facts a second, in tenths; what a slow tenth left over is made good by the next."""
    started, sent = time.perf_counter(), 0
    with suppress(Refused):  # the node is closing
        while True:
            while sent < (time.perf_counter() - started) * per_s:
                for party, fact in net.order():
                    node.path.submit(node.wallet.sign(party, fact))
                    sent += 1
            time.sleep(TICK_SECONDS)


class Client:
    """One kept connection: GETs with a session, nothing else."""

    def __init__(self, about: dict[str, Any]) -> None:
        """about: what the server said of itself."""
        self._port, self._cookie = about["port"], about["session"]

    async def __aenter__(self) -> Client:
        self._read, self._write = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._write.close()
        with suppress(OSError):
            await self._write.wait_closed()

    async def get(self, path: str) -> int:
        """The status, once the whole answer is there."""
        head = (
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: hanse={self._cookie}\r\nAccept-Encoding: gzip\r\n\r\n"
        )
        self._write.write(head.encode())
        answer = (await self._read.readuntil(b"\r\n\r\n")).lower()
        if b"transfer-encoding: chunked" in answer:
            while (size := int((await self._read.readuntil(b"\r\n")), 16)) > 0:
                await self._read.readexactly(size + 2)
            await self._read.readexactly(2)
        else:
            await self._read.readexactly(int(answer.partition(b"content-length:")[2].partition(b"\r")[0]))
        return int(answer[9:12])


async def answered(about: dict[str, Any]) -> None:
    """Wait until the server answers. Raises: OSError where nobody does for a minute."""
    for left in reversed(range(600)):
        try:
            async with Client(about) as client:
                await client.get("/healthz")
                return
        except (OSError, asyncio.IncompleteReadError):
            if not left:
                raise
            await asyncio.sleep(0.1)


async def reader(
    n: int, until: float, paths: dict[str, list[str]], about: dict[str, Any], into: dict[str, list[float]]
) -> None:
    dice = random.Random(n)
    await asyncio.sleep(dice.uniform(0, 1))
    async with Client(about) as client:
        while time.perf_counter() < until:
            name = dice.choice(list(paths))
            started = time.perf_counter()
            status = await client.get(dice.choice(paths[name]))
            into[name].append(time.perf_counter() - started)
            assert status == 200, (name, status)
            await asyncio.sleep(dice.uniform(0.5, 1.5))  # people look at a page before they open the next


async def alone(paths: dict[str, list[str]], about: dict[str, Any], told: Any) -> dict[str, float]:
    """The server's CPU a page in ms: one client, warm, nothing written."""
    spent = {}
    async with Client(about) as client:
        for name, addresses in paths.items():
            for n in range(WARM):
                assert await client.get(addresses[n * 7 % len(addresses)]) == 200, name
            before = ask(told, "cpu")
            for n in range(ALONE):
                await client.get(addresses[(n * 37 + 11) % len(addresses)])
            spent[name] = (ask(told, "cpu") - before) / ALONE * 1e3
    return spent


async def together(readers: int, seconds: float, *given: Any) -> None:
    until = time.perf_counter() + seconds
    await asyncio.gather(*(reader(n, until, *given) for n in range(readers)))


def first_word(told: Any, process: Any) -> dict[str, Any]:
    """What the server says once it stands. Raises: RuntimeError where it ended instead."""
    while not told.poll(1):
        if not process.is_alive():
            raise RuntimeError("the server ended; its reason stands above")
    about: dict[str, Any] = told.recv()
    return about


def ask(told: Any, what: str) -> float:
    told.send(what)
    return float(told.recv())


def pages(about: dict[str, Any]) -> dict[str, list[str]]:
    """What is opened: the last orders of a buyer, entries all over the record."""
    return {
        "today": ["/"],
        "find": [f"/find?q={item}" for item in about["items"]],
        "order page": [f"/orders/o/{order}" for order in about["orders"][-500:]],
        "orders": ["/orders"],
        "stock": ["/stock"],
        "stock card": [f"/stock/card/{item}" for item in about["items"][:3]],
        "history": [f"/history/{at}" for at in range(100, about["entries"], 997)],
        "healthz (peer)": ["/healthz"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = {"facts": 50_000, "readers": 50, "seconds": 10, "writes": 500, "processes": 1}
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--data", default="", help="DIR/data of bench.verify --keep DIR")
    figures = run(parser.parse_args())
    write("read", figures)
    print(machine())
    for name, value in figures.items():
        print(f"{name:16} {value}")


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as there:
        return int(there.getsockname()[1])


def run(asked: argparse.Namespace) -> dict[str, Any]:
    """A server in a process of its own, and its readers in this one; the figures."""
    context = multiprocessing.get_context("spawn")
    told, theirs = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="hanse-bench-") as scratch:
        given = (asked.data or f"{scratch}/data", asked.facts, asked.writes, asked.processes, free_port(), theirs)
        process = context.Process(target=server, args=given)
        process.start()
        try:
            return measured(asked, told, process)
        finally:
            process.terminate()
            process.join()


def measured(asked: argparse.Namespace, told: Any, process: Any) -> dict[str, Any]:
    """Pages alone, then all together; the figures."""
    about = first_word(told, process)
    asyncio.run(answered(about))
    paths = pages(about)
    spent = asyncio.run(alone(paths, about, told))
    waits: dict[str, list[float]] = {name: [] for name in paths}
    entries, cpu, own, began = ask(told, "write"), ask(told, "cpu"), time.process_time(), time.perf_counter()
    asyncio.run(together(asked.readers, asked.seconds, paths, about, waits))
    took = time.perf_counter() - began
    figures: dict[str, Any] = {
        **vars(asked),
        "entries": about["entries"],
        "entries_per_s": round((ask(told, "written") - entries) / took),
        "server_cpu": round((ask(told, "cpu") - cpu) / took, 2),
        "client_cpu": round((time.process_time() - own) / took, 2),
    }
    for name, seconds in waits.items():
        listed = sorted(seconds)
        if listed:
            at = {q: round(listed[int(q / 100 * (len(listed) - 1))] * 1e3, 1) for q in (50, 95)}
            figures[name] = {
                "requests": len(listed), "p50_ms": at[50], "p95_ms": at[95], "cpu_ms": round(spent[name], 2),
            }  # fmt: skip
    return figures


if __name__ == "__main__":
    main()
