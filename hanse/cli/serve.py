"""`hanse serve`: the node and its web application."""

from __future__ import annotations

import errno
import signal
import socket
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from cyclopts import App, Parameter

from hanse.cli.party import invitation
from hanse.cli.shell import HERE, Answer, Data, NotNegative, Port, progress
from hanse.importers.facts_found import desk_for
from hanse.importers.facts_watch import Watching
from hanse.kernel.refusal import Refused
from hanse.node import joining
from hanse.node.answering import Answering
from hanse.node.backup import ACCOUNTS
from hanse.node.journal import journal
from hanse.node.node import Node, has_node
from hanse.rooms.parties.facts import PartyKind
from hanse.site.readers import Readers, Shown, behind_readers, readers_by_cores
from hanse.web.accounts import AccountStore
from hanse.web.timely import Timely, open_many_files
from hanse.webhooks import Webhooks, WebhookStore

_journal = journal("hanse.cli")
LOCAL = ("127.0.0.1", "localhost", "::1")
PORTS = range(8000, 8020)


def mount(app: App) -> None:
    """Add this file's command."""
    app.command(serve)


ServeNew = Annotated[bool, Parameter(help="Found a network in a new data directory; needs --party and --name.")]
ServeParty = Annotated[str, Parameter(help='With --new: the id of your firm on the record, as in "north-bearings".')]
ServeName = Annotated[str, Parameter(help="With --new: the name of your firm, and of the network that it founds.")]
ServeEmail = Annotated[
    str,
    Parameter(
        help="With --new: print a link by which the owner with this address opens an account.",
    ),
]
ServeHost = Annotated[
    str,
    Parameter(
        help="The address to listen on; the default can be reached from this machine alone.",
    ),
]
ServeSiteHost = Annotated[
    tuple[str, ...],
    Parameter(
        help="A name under which people reach this node, beside localhost; may stand several times.",
        negative="",
    ),
]
ServePlainHttp = Annotated[
    bool | None,
    Parameter(
        help="Cookies may travel unencrypted. The default: only where the node listens to this machine alone.",
    ),
]
ServePrivateWebhooks = Annotated[
    bool,
    Parameter(
        help=(
            "Webhooks may go to addresses of private networks, and unencrypted: for a receiver in the firm's own "
            "network."
        ),
    ),
]
ServeReaders = Annotated[
    NotNegative | None,
    Parameter(
        help=(
            "Processes that only read, so that pages wait for no writer; 0: none. The default: one less than "
            "cores, up to 4."
        ),
    ),
]
ServeWatch = Annotated[
    Path | None,
    Parameter(
        help="Import what is put into this folder, as `hanse import --watch` does where no node serves.",
    ),
]
ServeWatchAs = Annotated[
    str,
    Parameter(
        help="With --watch: the party that imports; not needed where this node hosts one alone.",
    ),
]


def serve(
    *,
    data: Data = HERE,
    new: ServeNew = False,
    party: ServeParty = "",
    name: ServeName = "",
    kind: PartyKind = "distributor",
    country: str = "DE",
    city: str = "",
    email: ServeEmail = "",
    host: ServeHost = "127.0.0.1",
    port: Port = 8000,
    site_host: ServeSiteHost = (),
    plain_http: ServePlainHttp = None,
    private_webhooks: ServePrivateWebhooks = False,
    readers: ServeReaders = None,
    watch: ServeWatch = None,
    watch_as: ServeWatchAs = "",
) -> Answer:
    """Run a node and its web application until it is stopped."""
    if new and not (party and name):
        raise Refused(
            "serve.new_needs_a_party", "a new network needs its first party", next="add --party ID --name NAME"
        )
    if new and has_node(data):
        raise Refused("serve.node_stands", "there is a node already", got=data, next="leave out --new")
    open_port(host, port)
    open_many_files()
    address = f"http://{host if host != '0.0.0.0' else '127.0.0.1'}:{port}"
    with ExitStack() as held:
        with progress() as step:
            node = held.enter_context(Node(data, create=new, progress=lambda done, all: step("state", done, all)))
        if new:
            joining.found(node, party, network=name, name=name, kind=kind, country=country, city=city)
            if email:
                sys.stderr.write(f"{email}: {invitation(data, party, email, role='owner', url=address)}\n")
        accounts = AccountStore(data / ACCOUNTS)
        held.callback(accounts.close)
        local = host in LOCAL if plain_http is None else plain_http
        webhooks = Webhooks(node, WebhookStore(data, node.clock, private=private_webhooks))
        hosts = (*LOCAL[:2], "[::1]", *site_host)
        app = _application(node, accounts, webhooks, hosts, secure=not local)
        many = readers_by_cores() if readers is None else readers
        reading = Readers(Shown(str(data), hosts, not local), host, port, many) if many else None
        if reading is not None:
            held.callback(reading.close)
        if watch is not None:
            held.callback(_watched(node, watch, watch_as).close)
        sys.stderr.write(f"{node.net} on {address}\n")
        serve_node(node, app, host, port, webhooks, behind=reading.behind if reading else "")
    return Answer({"net": node.net, "entries": node.log.size}, "stopped")


def open_port(host: str, port: int | None) -> int:
    """A port that can be listened on: the named one, or the first free one of a few.

    Refuses, in order: serve.no_address, serve.port_taken.
    """
    tried = [port] if port else list(PORTS)
    for one in tried:
        try:
            found = socket.getaddrinfo(host, one, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
            with socket.socket(found[0]) as asked:
                asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                asked.bind(found[4])
            return one
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                step = "leave out --host, or name an address of this machine"
                raise Refused("serve.no_address", "nothing can listen there", got=host, next=step) from None
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise Refused("serve.port_taken", "this port cannot be used", got=tried[0], next="name another with --port")


def _watched(node: Node, folder: Path, party: str) -> Watching:
    """Refuses, in order: import.which_party, import.not_hosted, import.no_folder."""
    return Watching(
        desk_for(node, party),
        folder,
        lambda one: sys.stderr.write(f"{one.said}\n"),
        lambda error: _journal.error("import.fault", why=repr(error)),
    )


def serve_node(
    node: Node, app: Any, host: str, port: int, webhooks: Webhooks | None = None, *, behind: str = ""
) -> None:
    """Serve an open node's application, its owners' answers and webhooks included, until it is stopped.

    behind: the Unix socket to listen on instead, where readers have the address.
    """
    answering = Answering(node, lambda order, error: _journal.warning("order.unanswered", order=order, why=str(error)))
    try:
        answering.catch_up()
        if webhooks is not None:
            webhooks.start()
        _until_stopped(behind_readers(app, behind) if behind else _open(app, host, port))
    finally:
        if webhooks is not None:
            webhooks.close()
        answering.close()


def _open(app: Any, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app, host=host, port=port, http=Timely, log_level="warning", access_log=False, server_header=False
    )


def _until_stopped(config: uvicorn.Config) -> None:
    """Serve until SIGINT or SIGTERM; both end the node in order."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()


def _application(
    node: Node, accounts: AccountStore, webhooks: Webhooks, hosts: tuple[str, ...], *, secure: bool
) -> Any:
    """The web application: imported here, because no other command needs it."""
    from hanse.site import build_site
    from hanse.web import create_app

    return create_app(build_site(node, accounts, webhooks=webhooks, hosts=hosts, secure=secure))
