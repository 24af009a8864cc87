"""Passing a request on, as it came, to the process that writes; its answer goes back as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httptools
from litestar.exceptions import ServiceUnavailableException
from litestar.types import Receive, Scope, Send

OF_ONE_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
"""Headers between two neighbours (RFC 9110, section 7.6.1), which nobody passes on."""
OURS = {*OF_ONE_HOP, b"expect", b"x-forwarded-for", b"x-forwarded-proto"}
CHUNK_BYTES = 65_536
Pairs = Iterable[tuple[bytes, bytes]]


class Forward:
    """Asks the application behind a Unix socket; one connection a request.

    Who asked, and whether encrypted, is told in `X-Forwarded-For` and `X-Forwarded-Proto`; what a browser says there is
    dropped. The process behind the socket believes both, for nobody else reaches it.
    """

    def __init__(self, socket: str) -> None:
        self._socket = socket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises: 503 where nobody is behind the socket."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket)
        except OSError:
            raise ServiceUnavailableException from None
        asking = asyncio.create_task(_ask(scope, receive, writer))
        try:
            await _answer(reader, send)
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await asking
            writer.close()


def head(scope: Any) -> bytes:
    """A request's first line and headers, as they came, but for those of one hop and those that are ours to say."""
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    lines = [scope["method"].encode() + b" " + scope["raw_path"] + query + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in scope["headers"] if name not in OURS]
    client = scope.get("client")
    lines += [b"x-forwarded-for: " + client[0].encode()] if client else []
    lines += [b"x-forwarded-proto: " + scope["scheme"].encode(), b"connection: close"]
    if _chunked(scope["headers"]):
        lines.append(b"transfer-encoding: chunked")
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _chunked(headers: Pairs) -> bool:
    return any(name == b"transfer-encoding" for name, _ in headers)


async def _ask(scope: Any, receive: Receive, writer: asyncio.StreamWriter) -> None:
    """Send the request; then wait until the browser has gone, and go too."""
    chunked, more = _chunked(scope["headers"]), True
    with suppress(ConnectionError):
        writer.write(head(scope))
        while True:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                break
            body = message.get("body", b"")
            if more:
                if body:
                    writer.write(b"%x\r\n%b\r\n" % (len(body), body) if chunked else body)
                more = message.get("more_body", False)
                if not more and chunked:
                    writer.write(b"0\r\n\r\n")
                await writer.drain()
    writer.close()


class _Heard:
    """What the parser has found and nobody has passed on yet."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self.begun = self.over = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() not in {*OF_ONE_HOP, b"date", b"server"}:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.begun = True

    def on_body(self, body: bytes) -> None:
        self.body.append(body)

    def on_message_complete(self) -> None:
        self.over = True


async def _answer(reader: asyncio.StreamReader, send: Any) -> None:
    """Pass the answer back. Raises: 503 where there is none."""
    heard, started = _Heard(), False
    parser = httptools.HttpResponseParser(heard)
    while not heard.over and (data := await reader.read(CHUNK_BYTES)):
        parser.feed_data(data)
        if heard.begun and not started:
            started = True
            await send({
                "type": "http.response.start", "status": parser.get_status_code(), "headers": heard.headers,
            })  # fmt: skip
        if heard.body:
            await send({"type": "http.response.body", "body": b"".join(heard.body), "more_body": True})
            heard.body.clear()
    if not started:
        raise ServiceUnavailableException
    await send({"type": "http.response.body", "body": b"", "more_body": False})
