"""Webhooks through the API: an owner's program, with a token of scope `events`, says where it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.params import FromPath, RawBody
from msgspec import Struct

from hanse.kernel.refusal import Refused, require
from hanse.node.desk import Desk
from hanse.webhooks import Subscription, Webhooks

Desks = Callable[[Request[Any, Any, Any]], Desk]
SCOPE = "events"


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """What a program asks for: an https address, and which kinds of facts are told there."""

    url: str
    kinds: list[str] = msgspec.field(default_factory=lambda: ["*"])


_wanted = msgspec.json.Decoder(Wanted).decode


def shown(one: Subscription, *, secret: bool = False) -> dict[str, Any]:
    """A subscription as its owner sees it. secret: only in the answer that made it."""
    names = ("id", "url", "kinds", "state", "created_at", "delivered", "tries", "said", "said_at")
    data: dict[str, Any] = {name: getattr(one, name) for name in names}
    data["next_at"] = one.next_at or None
    return {**data, "secret": one.secret} if secret else data


def handlers(desk_of: Desks, webhooks: Webhooks) -> list[Any]:
    """The handlers below /api/v1/webhooks."""

    def owner(request: Request[Any, Any, Any]) -> Desk:
        """Refuses: as the token; desk.not_permitted (no such scope, or no owner)."""
        desk = desk_of(request)
        allowed = SCOPE in desk.who.scopes and desk.who.role == "owner"
        require(allowed, "desk.not_permitted", "webhooks are for an owner's token that may receive events",
                got=f"{desk.who.role}: {', '.join(desk.who.scopes)}", next="make such a token in Settings")  # fmt: skip
        return desk

    def reply(value: object, status: int = 200) -> Response[bytes]:
        return Response(msgspec.json.encode(value), media_type="application/json", status_code=status)

    @get("/webhooks", sync_to_thread=False)
    def listed(request: Request[Any, Any, Any]) -> Response[bytes]:
        return reply({"rows": [shown(one) for one in webhooks.store.of(owner(request).who.party)]})

    @post("/webhooks", sync_to_thread=True)
    def make(request: Request[Any, Any, Any], body: RawBody) -> Response[bytes]:
        desk = owner(request)
        try:
            wanted = _wanted(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refused(
                "api.bad_body", str(error), expected='{"url": "https://...", "kinds": ["orders.*"]}'
            ) from None
        user, size = int(desk.who.person or 0), desk.node.log.size
        made = webhooks.store.add(desk.who.party, user, wanted.url, tuple(wanted.kinds), size)
        return reply(shown(made, secret=True), 201)

    @post("/webhooks/{id:str}/test", sync_to_thread=True, status_code=200)
    def test(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[bytes]:
        answer = webhooks.test(owner(request).who.party, id)
        return reply({"good": answer.good, "status": answer.status or None, "said": answer.said})

    @post("/webhooks/{id:str}/resume", sync_to_thread=True, status_code=200)
    def resume(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[bytes]:
        party = owner(request).who.party
        webhooks.store.resume(party, id)
        webhooks.wake()
        return reply(shown(webhooks.store.get(party, id)))

    @delete("/webhooks/{id:str}", sync_to_thread=True, status_code=200)
    def end(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[bytes]:
        webhooks.store.delete(owner(request).who.party, id)
        return reply({"id": id, "deleted": True})

    return [listed, make, test, resume, end]
