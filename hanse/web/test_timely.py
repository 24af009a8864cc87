"""Connections whose request never comes end; those that are at work do not."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from hanse.web.timely import BODY_SECONDS, HEAD_SECONDS, Timely, open_many_files

WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
WAIT_SECONDS = 60
"""Of the real clock, for what is about to happen."""


class Hands(asyncio.SelectorEventLoop):
    """A loop whose time passes when told: however busy the machine is, nothing is late that a test did not make so."""

    passed_seconds = 0.0

    def time(self) -> float:
        return self.passed_seconds


async def until(met: Callable[[], Any]) -> None:
    """Let the loop turn until something is so."""
    end = time.monotonic() + WAIT_SECONDS
    while not met():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0)


class Door:
    """A server on a free port whose one page reads what there is and answers when it is let; and time that passes."""

    def __init__(self) -> None:
        self.asked, self.let = 0, asyncio.Event()
        self.callers: list[Caller] = []
        self.loop = asyncio.get_running_loop()
        config = uvicorn.Config(self.page, port=0, interface="asgi3", http=Timely, log_level="error", lifespan="off")
        self.server = uvicorn.Server(config)

    async def page(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        while (await receive()).get("more_body", False):
            pass
        await self.let.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def caller(self, *parts: bytes) -> Caller:
        """Somebody who has connected and sent this."""
        known = len(self.server.server_state.connections)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        one = Caller(*await asyncio.open_connection("127.0.0.1", port))
        await until(lambda: len(self.server.server_state.connections) > known)
        for part in parts:
            one.writer.write(part)
        self.callers.append(one)
        return one

    async def passes(self, seconds: float) -> None:
        """So much time passes, and what was due then is done."""
        assert isinstance(self.loop, Hands)
        self.loop.passed_seconds += seconds
        for _ in range(3):
            await asyncio.sleep(0)


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer, self.found, self.ended = writer, b"", False
        self.reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(1_000):
                self.found += data
        except ConnectionError:
            pass
        self.ended = True


@asynccontextmanager
async def door() -> AsyncIterator[Door]:
    there = Door()
    serving = asyncio.create_task(there.server.serve())
    ticking = asyncio.create_task(_ticks(there))
    try:
        await until(lambda: there.server.started)
        yield there
    finally:
        there.let.set()
        for caller in there.callers:
            caller.writer.transport.abort()
        there.server.should_exit = there.server.force_exit = True
        await until(serving.done)
        ticking.cancel()


async def _ticks(there: Door) -> None:
    """The server looks ten times a second whether it is to end; so a little time passes by itself."""
    while True:
        await asyncio.sleep(0)
        if there.server.should_exit:
            await there.passes(0.1)


def in_a_thread(run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Browser tests that came before may have left this thread a loop that runs."""

    def alone() -> None:
        with asyncio.Runner(loop_factory=Hands) as runner:
            runner.run(run())

    with ThreadPoolExecutor(1) as pool:
        pool.submit(alone).result()


def test_a_request_that_does_not_come_ends_its_connection() -> None:
    async def run() -> None:
        async with door() as there:
            silent = await there.caller()
            dripping = await there.caller(b"GET / HTTP/1.1\r\nX-")
            half_body = await there.caller(POST, b"ab")
            await until(lambda: there.asked == 1)
            await there.passes(HEAD_SECONDS / 2)
            dripping.writer.write(b"a: 1\r\nX-")
            await there.passes(HEAD_SECONDS / 2 - 1)
            assert not silent.ended and not dripping.ended
            await there.passes(1)
            await until(lambda: silent.ended and dripping.ended)
            await there.passes(BODY_SECONDS - HEAD_SECONDS - 1)
            assert not half_body.ended
            await there.passes(1)
            await until(lambda: half_body.ended)
            assert silent.found == dripping.found == half_body.found == b""

    in_a_thread(run)


def test_a_further_request_on_a_connection_has_as_long_to_come_as_the_first() -> None:
    async def run() -> None:
        async with door() as there:
            there.let.set()
            caller = await there.caller(WHOLE)
            await until(lambda: caller.found.endswith(b"ok"))
            caller.writer.write(b"GET / HTTP/1.1\r\n")
            protocol = next(iter(there.server.server_state.connections))
            await until(lambda: protocol._late is not None)
            await there.passes(HEAD_SECONDS - 1)
            assert not caller.ended
            await there.passes(1)
            await until(lambda: caller.ended)
            assert caller.found.count(b"200 OK") == 1 and there.asked == 1

    in_a_thread(run)


def test_a_page_or_a_body_that_takes_its_time_is_no_late_head() -> None:
    async def run() -> None:
        async with door() as there:
            whole, slow_body = await there.caller(WHOLE), await there.caller(POST, b"ab")
            await until(lambda: there.asked == 2)
            await there.passes(BODY_SECONDS - 1)
            slow_body.writer.write(b"cd")
            protocols = list(there.server.server_state.connections)
            await until(lambda: not any(one._late for one in protocols))
            await there.passes(10 * BODY_SECONDS)
            assert not whole.ended and not slow_body.ended
            there.let.set()
            await until(lambda: whole.found.endswith(b"ok") and slow_body.found.endswith(b"ok"))

    in_a_thread(run)


def test_as_many_files_may_be_open_as_the_system_allows() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
        open_many_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
