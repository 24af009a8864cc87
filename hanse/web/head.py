"""HEAD: what a GET would answer, without its body (RFC 9110, section 9.3.2)."""

from __future__ import annotations

from typing import Any, cast

from litestar import Litestar
from litestar.types import Message, Send


class Application(Litestar):
    """Litestar, that answers HEAD wherever GET is answered: by the same handler, rights and headers included."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, without_body(send)
        await super().__call__(scope, receive, send)


def without_body(send: Send) -> Send:
    """A `send` that passes an answer on with an empty body; its headers stand, the length of the body among them."""

    async def pass_on(message: Message) -> None:
        if message["type"] == "http.response.body":
            if message["more_body"]:
                return
            message = cast(Message, {**message, "body": b""})
        await send(message)

    return pass_on
