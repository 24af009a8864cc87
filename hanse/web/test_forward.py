"""Passing requests on over a Unix socket: as they came, with who asked, and the answer as it comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvicorn
from litestar.exceptions import ServiceUnavailableException

from hanse.web.forward import Forward

T = TypeVar("T")


async def mirror(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it was asked, in two parts."""
    assert scope["type"] == "http"
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    told = {
        "method": scope["method"], "path": scope["raw_path"].decode(), "query": scope["query_string"].decode(),
        "client": scope["client"][0], "scheme": scope["scheme"], "body": body.decode(),
        "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
    }  # fmt: skip
    headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 207, "headers": headers})
    text = json.dumps(told).encode()
    await send({"type": "http.response.body", "body": text[:10], "more_body": True})
    await send({"type": "http.response.body", "body": text[10:], "more_body": False})


async def asked(
    socket: Path, parts: list[bytes], headers: list[tuple[bytes, bytes]], method: str = "POST"
) -> list[Any]:
    """The ASGI messages of one forwarded request, with the mirror behind the socket."""
    config = uvicorn.Config(
        mirror, uds=str(socket), proxy_headers=True, forwarded_allow_ips="*", log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    sent: list[Any] = []

    async def given() -> AsyncIterator[dict[str, Any]]:
        for at, part in enumerate(parts):
            yield {"type": "http.request", "body": part, "more_body": at + 1 < len(parts)}
        await asyncio.sleep(30)

    waiting = given()

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http", "method": method, "raw_path": b"/a%2Fb/../c", "query_string": b"q=%C3%A4&q=2",
        "headers": headers, "client": ("203.0.113.7", 4711), "scheme": "https",
    }  # fmt: skip
    forward: Any = Forward(str(socket))
    await forward(scope, waiting.__anext__, send)
    server.should_exit = True
    await serving
    return sent


@pytest.fixture
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("s") / "n"


def ran(waited: Coroutine[Any, Any, T]) -> T:
    """What it gives, in a thread of its own: a browser's test may have left a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, waited).result()


def told(sent: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(b"".join(m.get("body", b"") for m in sent))
    return found


def test_a_request_arrives_as_it_came_with_who_asked(socket: Path) -> None:
    headers = [(b"host", b"hanse.example"), (b"cookie", b"hanse=x"), (b"content-length", b"4"),
               (b"connection", b"keep-alive"), (b"x-forwarded-for", b"198.51.100.1")]  # fmt: skip
    sent = ran(asked(socket, [b"ab", b"cd"], headers))
    found = told(sent)
    assert (found["method"], found["path"], found["query"]) == ("POST", "/a%2Fb/../c", "q=%C3%A4&q=2")
    assert (found["body"], found["client"], found["scheme"]) == ("abcd", "203.0.113.7", "https")
    assert found["headers"]["host"] == "hanse.example" and found["headers"]["cookie"] == "hanse=x"
    assert sent[0]["status"] == 207 and not sent[-1]["more_body"]
    assert [value for name, value in sent[0]["headers"] if name == b"set-cookie"] == [b"a=1", b"b=2"]


def test_a_body_of_unknown_length_arrives_whole(socket: Path) -> None:
    headers = [(b"host", b"hanse.example"), (b"transfer-encoding", b"chunked")]
    parts = [b"x" * 70_000, b"", b"y" * 70_000]
    assert told(ran(asked(socket, parts, headers)))["body"] == "x" * 70_000 + "y" * 70_000


def test_an_answer_to_head_has_no_body(socket: Path) -> None:
    sent = ran(asked(socket, [b""], [(b"host", b"hanse.example")], "HEAD"))
    assert sent[0]["status"] == 207 and not b"".join(m.get("body", b"") for m in sent)


def test_without_anybody_behind_the_socket_the_node_is_busy(socket: Path) -> None:
    forward: Any = Forward(str(socket))
    with pytest.raises(ServiceUnavailableException):
        ran(forward({"type": "http"}, None, None))
