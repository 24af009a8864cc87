"""The door of a process that only reads, before a town's own, for tests of both."""

from __future__ import annotations

from typing import Any

from hanse.node.reading import ReadNode
from hanse.site import build_site
from hanse.site.testing import SmallTown, Visitor
from hanse.web import AccountStore, create_app

BARE = (
    "type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "headers",
    "client", "server", "extensions",
)  # fmt: skip
"""What a server puts into a request's scope."""


class Before:
    """The town's node as a process that only reads shows it; what it forwards is counted and goes to the town's app."""

    def __init__(self, town: SmallTown) -> None:
        self.forwarded: list[str] = []
        self.node = ReadNode(town.node.directory, clock=town.node.clock)
        self.accounts = AccountStore(town.node.directory.parent / "accounts.db")
        town_app: Any = town.app

        async def forward(scope: Any, receive: Any, send: Any) -> None:
            self.forwarded.append(f"{scope['method']} {scope['path']}")
            own = {key: scope[key] for key in BARE if key in scope}
            await town_app({**own, "state": {}}, receive, send)

        site = build_site(self.node, self.accounts, requests_per_minute=100_000, forward=forward)
        self.app = create_app(site)

    def close(self) -> None:
        self.accounts.close()
        self.node.close()


def through(before: Before, visitor: Visitor) -> Visitor:
    """The same browser, session and all, at the reader's door."""
    same = Visitor(before)  # type: ignore[arg-type]
    same.client.cookies.update(visitor.client.cookies)
    return same
