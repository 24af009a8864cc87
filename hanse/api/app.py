"""The API's own small application, mounted under `/api`, and the record's public files."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.handlers import asgi
from litestar.params import FromPath, RawBody
from litestar.types import Receive, Scope, Send

from hanse.api import reads, webhooks, writes
from hanse.api.calls import Calls
from hanse.api.openapi import document
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk, Who
from hanse.node.node import Node
from hanse.node.stored import RECORD
from hanse.record.tiles import CHECKPOINT, parse_tile_path
from hanse.web.accounts import AccountStore
from hanse.web.refusals import Refusal, answer
from hanse.webhooks import Webhooks

JSON = "application/json"
BULK_BYTES_MAX = 10_000_000
SIGNED_BYTES_MAX = 200_000


class Api:
    """The handlers' common parts: whose token, which desk."""

    def __init__(self, node: Node, accounts: AccountStore) -> None:
        self.node, self.accounts = node, accounts
        self.calls = Calls(node.directory)
        self.kinds = node.applier.book.kinds
        self.schema = writes.kinds_schema(self.kinds)

    def desk(self, request: Request[Any, Any, Any]) -> Desk:
        """The desk of the request's token. Refuses, in order: token.missing, token.unknown, token.no_membership."""
        scheme, _, raw = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not raw.strip():
            raise Refusal(
                "token.missing",
                "Send a token: `Authorization: Bearer hanse_...`.",
                status=401,
                next="Create one in Settings.",
            )
        token = self.accounts.tokens.check(raw.strip())
        mine = next((m for m in self.accounts.memberships(token.user) if m.party == token.party), None)
        if mine is None:
            raise Refusal("token.no_membership", "The token's owner no longer acts for this party.", status=403)
        who = Who(token.party, str(token.user), mine.role, mine.approval_limit_minor, token.scopes)
        return Desk(self.node, who)


def application(node: Node, accounts: AccountStore, hooks: Webhooks) -> Litestar:
    """The API as an application of its own; the web application mounts it."""
    api = Api(node, accounts)
    return Litestar(
        route_handlers=[
            *_writes(api),
            *_proofs(api),
            *reads.handlers(api.desk),
            *webhooks.handlers(api.desk, hooks),
            *_about(api),
        ],
        path="/api/v1",
        exception_handlers={Exception: answer, Refused: answer, Refusal: answer},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=BULK_BYTES_MAX,
        on_shutdown=[api.calls.close],
    )


def _reply(value: object, status: int = 200, media: str = JSON) -> Response[bytes]:
    return Response(msgspec.json.encode(value), media_type=media, status_code=status)


def _writes(api: Api) -> list[Any]:
    @post("/facts/{kind:str}", sync_to_thread=True)
    def write_one(request: Request[Any, Any, Any], kind: FromPath[str], body: RawBody) -> Response[bytes]:
        desk = api.desk(request)
        writes.may_write(desk)
        fact = writes.read_fact(api.kinds, kind, body)
        key = request.headers.get("idempotency-key", "")
        [receipt] = writes.write(desk, api.calls, [fact], key=key, request=kind.encode() + b"\n" + body)
        return _reply(writes.written(receipt), 201)

    @post("/facts", sync_to_thread=True)
    def write_many(request: Request[Any, Any, Any], body: RawBody) -> Response[bytes]:
        desk = api.desk(request)
        writes.may_write(desk)
        key = request.headers.get("idempotency-key", "")
        facts, bad = writes.read_bulk(api.kinds, body)
        known = bool(key) and api.calls.earlier(desk.who.party, key, body) is not None
        if not bad and not known:
            bad = writes.check_all(desk, facts)
        if bad:
            refusal = Refused(
                "api.bad_lines", f"{len(bad)} lines are wrong; nothing was written", next="correct them all"
            )
            members = {"type": "/docs/refusals#api.bad_lines", "title": refusal.code, "status": 422, "lines": bad}
            return _reply({**members, **msgspec.to_builtins(refusal.refusal)}, 422, "application/problem+json")
        receipts = writes.write(desk, api.calls, facts, key=key, request=body)
        return _reply([writes.written(receipt) for receipt in receipts], 201)

    @post("/signed", sync_to_thread=True, request_max_body_size=SIGNED_BYTES_MAX)
    def write_signed(request: Request[Any, Any, Any], body: RawBody) -> Response[bytes]:
        return _reply(writes.written(writes.write_signed(api.desk(request), body)), 201)

    return [write_one, write_many, write_signed]


def _proofs(api: Api) -> list[Any]:
    @get("/entries/{position:int}", sync_to_thread=True)
    def entry(request: Request[Any, Any, Any], position: FromPath[int]) -> Response[bytes]:
        return _reply(reads.entry(api.desk(request), position))

    @get("/entries/{position:int}/proof", sync_to_thread=True)
    def proof(request: Request[Any, Any, Any], position: FromPath[int]) -> Response[bytes]:
        return _reply(reads.proof(api.desk(request), position))

    return [entry, proof]


def _about(api: Api) -> list[Any]:
    @get("/kinds", sync_to_thread=False)
    def kinds() -> Response[bytes]:
        return _reply(api.schema)

    @get("/openapi.json", sync_to_thread=False)
    def openapi() -> Response[bytes]:
        return _reply(document(api.schema))

    return [kinds, openapi]


def routes(node: Node, accounts: AccountStore, hooks: Webhooks) -> list[Any]:
    """What the web application mounts: `/api`, and the record as C2SP tlog-tiles."""
    app = application(node, accounts, hooks)

    @asgi("/api", is_mount=True, copy_scope=True, opt={"public": True, "door": "api"})
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        inner = dict(scope)
        inner["path"] = "/api" + scope["path"] if not scope["path"].startswith("/api") else scope["path"]
        await app(inner, receive, send)  # type: ignore[arg-type]

    return [mounted, *_record(node)]


def _record(node: Node) -> list[Any]:
    public = node.directory / RECORD / "public"

    def served(path: str, media: str, cache: str) -> Response[bytes]:
        try:
            data = (public / path).read_bytes()
        except OSError:
            raise Refusal("record.unknown_tile", "The record has no such file yet.", status=404, got=path) from None
        return Response(data, media_type=media, headers={"Cache-Control": cache})

    @get("/checkpoint", sync_to_thread=True)
    def checkpoint() -> Response[bytes]:
        return served(CHECKPOINT, MediaType.TEXT, "no-cache")

    @get("/tile/{path:path}", sync_to_thread=True)
    def tile(path: FromPath[str]) -> Response[bytes]:
        name = f"tile{path}"
        if parse_tile_path(name) is None:
            raise Refusal("record.unknown_tile", "This is not a tile's path.", status=404, got=name[:80])
        return served(name, "application/octet-stream", "public, max-age=31536000, immutable")

    return [checkpoint, tile]
