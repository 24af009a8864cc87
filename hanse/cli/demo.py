"""`hanse demo`: a group of forty firms with a year of trade, in the browser."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Any

import msgspec
from cyclopts import App

from hanse.cli.serve import LOCAL, open_port, serve_node
from hanse.cli.shell import Answer, Data, Port, progress
from hanse.demo.build import FULL, SMALL, Built, build
from hanse.kernel.refusal import Refused
from hanse.node.backup import ACCOUNTS
from hanse.node.node import Node, has_node
from hanse.record.lock import Locked, take_lock
from hanse.webhooks import Webhooks, WebhookStore

DEMO = Path("demo-data")
BUILT = "demo-built.json"
BROWSER_AFTER_SECONDS = 1.5


def mount(app: App) -> None:
    """Add this file's command."""
    app.command(demo)


def demo(
    *,
    data: Data = DEMO,
    small: bool = False,
    serve: bool = True,
    browser: bool = True,
    host: str = "127.0.0.1",
    port: Port | None = None,
) -> Answer:
    """Build a living network of forty made-up firms, and show it in the browser.

    A directory that holds a demo already is served as it is.

    Parameters
    ----------
    small
        A few weeks of trade in a few hundred items, built in seconds.
    serve
        Serve it until stopped; --no-serve prints counts and figures and ends.
    browser
        Open the browser on the start page.
    port
        Without it the first free one from 8000.
    """
    port = open_port(host, port) if serve else 0
    built = _built(data.resolve(), small)
    if not serve:
        return Answer(built, _figures(built))
    from hanse.web.accounts import AccountStore

    with Node(data) as node:
        accounts = AccountStore(data / ACCOUNTS)
        try:
            address = f"http://{host if host != '0.0.0.0' else '127.0.0.1'}:{port}/demo"
            sys.stderr.write(f"{_figures(built)}\n\nThe demo is at {address}\nStop it with Ctrl-C.\n")
            if browser and host in LOCAL:
                threading.Timer(BROWSER_AFTER_SECONDS, webbrowser.open, [address]).start()
            webhooks = Webhooks(node, WebhookStore(data, node.clock))
            serve_node(node, _application(node, accounts, webhooks, host), host, port, webhooks)
        finally:
            accounts.close()
    return Answer(built, "stopped")


def _built(data: Path, small: bool) -> Built:
    """Build the demo where the directory holds none: beside it, so that what was interrupted is begun anew.

    Refuses, in order: demo.not_a_demo, demo.being_built.
    """
    if has_node(data) and (data / BUILT).exists():
        return msgspec.json.decode((data / BUILT).read_bytes(), type=Built)
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        step = "remove it, or name another with --data"
        raise Refused("demo.not_a_demo", "there is something else than a demo", got=data, next=step)
    half = data.with_name(f"{data.name}.building")
    half.mkdir(parents=True, exist_ok=True)
    try:
        held = take_lock(half / "lock")
    except Locked as error:
        raise Refused("demo.being_built", "another process builds it", got=error.pid, next="wait for it") from None
    made = half / "demo"
    try:
        shutil.rmtree(made, ignore_errors=True)
        if not sys.stderr.isatty() and not small:
            sys.stderr.write("Building forty firms with a year of trade. It takes a minute or two.\n")
        with progress() as told:
            built = build(made, size=SMALL if small else FULL, progress=told)
        (made / BUILT).write_bytes(msgspec.json.encode(built))
        made.rename(data)
    finally:
        shutil.rmtree(half, ignore_errors=True)
        os.close(held)
    return built


def _figures(built: Built) -> str:
    return (
        f"{built.firms} firms, {built.items:,} items under {built.own_numbers:,} part numbers, {built.facts:,} signed"
        f" facts in {built.entries:,} entries of the record; built in {built.seconds:.0f} s."
    )


def _application(node: Node, accounts: Any, webhooks: Webhooks, host: str) -> Any:
    from hanse.demo import page
    from hanse.demo.people import seat
    from hanse.site import build_site
    from hanse.web import create_app

    hosts = (*LOCAL[:2], "[::1]", host)
    people = seat(accounts)
    site = build_site(node, accounts, demo=True, demo_roles=people, webhooks=webhooks, hosts=hosts, secure=False)
    site.pages = [*site.pages, *page.PAGES]
    site.templates = [*site.templates, Path(page.__file__).parent]
    site.title = "Hanse demo"
    site.demo_stop = lambda name: page.stop_of(node, name)
    return create_app(site)
