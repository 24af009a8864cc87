"""Connections whose request never comes end; those that are at work do not."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import uvicorn

from hanse.web import timely
from hanse.web.timely import Timely, open_many_files


async def slow_page(scope: Any, receive: Any, send: Any) -> None:
    """Reads what there is, takes its time, and answers."""
    while (await receive()).get("more_body", False):
        pass
    await asyncio.sleep(0.4)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def said(port: int, *parts: bytes, wait: float = 0.0) -> bytes:
    """All that is answered to these bytes, until the connection ends or nothing comes for a second."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = b""
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(wait)
        while data := await asyncio.wait_for(reader.read(1_000), 1.0):
            found += data
        return found + b" (ended)"
    except TimeoutError:
        return found
    except ConnectionError:
        return found + b" (ended)"
    finally:
        writer.close()


def in_a_thread(run: Coroutine[Any, Any, list[bytes]]) -> list[bytes]:
    """Browser tests that came before may have left this thread a loop that runs."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, run).result()


def test_a_request_that_does_not_come_ends_its_connection_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timely, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(timely, "BODY_SECONDS", 0.9)
    head = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    async def run() -> list[bytes]:
        config = uvicorn.Config(slow_page, port=0, http=Timely, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        body = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
        found = await asyncio.gather(
            said(port),
            said(port, b"GET / HTTP/1.1\r\nX-", b"a: 1\r\nX-", b"b", wait=0.12),
            said(port, head, b"GET / HTTP/1.1\r\n", wait=0.5),
            said(port, head),
            said(port, body, b"ab", b"cd", wait=0.35),
            said(port, body, b"ab"),
        )
        server.should_exit = True
        await serving
        return found

    silent, dripping, second, whole, slow_body, half_body = in_a_thread(run())
    assert silent == dripping == half_body == b" (ended)"
    assert second.count(b"200 OK") == 1 and second.endswith(b"(ended)")
    assert whole.endswith(b"ok") and slow_body.endswith(b"ok"), "a page or a body that takes its time is no late head"


def test_as_many_files_may_be_open_as_the_system_allows() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
        open_many_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
