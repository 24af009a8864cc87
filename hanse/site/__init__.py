"""The site: the rooms' pages, the API and the record behind one web application of a node.

    site = build_site(node, accounts)
    app = hanse.web.create_app(site)

A room is shown by its `page.py`: `PAGES`, a list of Litestar handlers, and if it likes `NAV`, a list of
`hanse.site.menu.Entry`. Its templates lie beside it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from hanse.node.history import size_of
from hanse.node.node import Node
from hanse.rooms import ROOMS, modules
from hanse.rooms.parties.facts import PARTIES
from hanse.site.desks import desk
from hanse.site.menu import Entry, addresses, entries, menu
from hanse.site.places import Places
from hanse.site.search import search
from hanse.site.signing import guard
from hanse.web import AccountStore, DemoRole, Hit, Link, NavItem, Session, Site
from hanse.webhooks import Webhooks, WebhookStore

__all__ = ["build_site", "desk"]
FIRM = (Link("The firm: people", "/firm/people"), Link("The firm: keys", "/firm/keys"),
        Link("The firm: who saw what", "/history/seen"))  # fmt: skip
"""What an owner sets for the firm; `Settings` leads there."""


def build_site(
    node: Node,
    accounts: AccountStore,
    *,
    demo: bool = False,
    demo_roles: Sequence[DemoRole] = (),
    webhooks: Webhooks | None = None,
    **options: Any,
) -> Site:
    """The whole site of a node, for `hanse.web.create_app`.

    Args:
        demo, demo_roles: show the bar that switches people. webhooks: those of the node, which its keeper starts and
            closes; without them addresses are kept, and nothing is sent. options: further fields of `hanse.web.Site`
            (`hosts`, `secure`, `title`, `requests_per_minute`).
    Raises: ValueError where a page module is broken; the modules' own import errors.
    """
    from hanse.api import routes

    hooks = webhooks or Webhooks(node, WebhookStore(node.directory, node.clock))
    shown = page_modules()
    pages = [page for module in shown for page in module.PAGES]
    exists = addresses(pages)
    places = Places(exists)
    offered: list[Entry] = [entry for module in shown for entry in getattr(module, "NAV", ())]
    items = entries(offered, exists)

    def nav(session: Session) -> list[NavItem]:
        return menu(items, session.role, node.view(session.party)) if session.party else []

    def find(session: Session, text: str, limit: int) -> list[Hit]:
        view = node.view(session.party)
        return search(view, places, text, limit, size_of(view))

    def party_name(party: str) -> str:
        row = node.view().get(PARTIES, party)
        return row.name if row else party

    def firm_settings(session: Session) -> list[Link]:
        return [link for link in FIRM if link.href in exists] if session.role == "owner" else []

    return Site(
        accounts=accounts,
        pages=pages,
        nav=nav,
        templates=_folders(shown),
        search=find,
        read=node,
        once=node.read.once,
        demo=demo,
        demo_roles=demo_roles,
        party_name=party_name,
        firm_settings=firm_settings,
        mounts=routes(node, accounts, hooks),
        dependencies=_dependencies(accounts, places, hooks),
        guards=(guard,),
        **options,
    )


def page_modules() -> list[ModuleType]:
    """The site's own modules with pages, `page` first, then the rooms', in the order of the rooms."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__) if found.name.startswith("pages_"))
    own = [importlib.import_module(f"{__name__}.{name}") for name in ("page", *names)]
    return [*(module for module in own if hasattr(module, "PAGES")), *modules("page", rooms=ROOMS)]


def _folders(shown: Sequence[ModuleType]) -> list[Path]:
    """Where templates lie: the folders of the modules that are shown, under their own names."""
    return list(dict.fromkeys(Path(module.__file__).parent for module in shown if module.__file__))


def _dependencies(accounts: AccountStore, places: Places, webhooks: Webhooks) -> dict[str, Any]:
    """What handlers may ask for besides `session` and `read`: `accounts`, `places`, `webhooks`."""
    from litestar.di import Provide

    def provide_accounts() -> Any:
        return accounts

    def provide_places() -> Any:
        return places

    def provide_webhooks() -> Any:
        return webhooks

    return {
        "accounts": Provide(provide_accounts, sync_to_thread=False),
        "places": Provide(provide_places, sync_to_thread=False),
        "webhooks": Provide(provide_webhooks, sync_to_thread=False),
    }
