"""`hanse party`: who is here, and how others come; the node must be stopped."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from hanse.cli.shell import HERE, Answer, Data, Positive, table
from hanse.kernel.refusal import Refused
from hanse.node import joining
from hanse.node.admitting import registrar
from hanse.node.backup import ACCOUNTS
from hanse.node.node import Node
from hanse.rooms.parties import queries
from hanse.rooms.parties.facts import PARTIES, PartyKind, Role
from hanse.web.accounts import AccountStore

URL = "http://127.0.0.1:8000"


def mount(app: App) -> None:
    """Add this file's commands."""
    group = App(name="party", help="Parties: who is here, who may come, and who works for them.")
    for command in (add, show, invite, join, staff):
        group.command(command, name="list" if command is show else command.__name__)
    app.command(group)


def add(
    party: str, *, name: str, kind: PartyKind = "distributor", country: str = "DE", city: str = "", data: Data = HERE
) -> Answer:
    """Host a new party on this node: invited and joined in one step, where the registrar is hosted here.

    Parameters
    ----------
    party
        Its id on the record, as in "north-bearings".
    name
        Its name.
    country
        Two letters, ISO 3166-1.
    """
    with Node(data, helper=False) as node:
        home = joining.host(node, party, name=name, kind=kind, country=country, city=city)
    return Answer({"party": party, "home": home}, f"{party} is here")


def show(*, data: Data = HERE, search: str = "") -> Answer:
    """List the parties of the network.

    Parameters
    ----------
    search
        Part of a name, a city or an id.
    """
    with Node(data, helper=False) as node:
        found = queries.parties(node.view(), search, limit=10_000)
        hosted = set(node.wallet.hosted())
    rows = [(p.party, p.name, p.party_kind, p.country, p.city, p.party in hosted) for p in found]
    names = ("party", "name", "kind", "country", "city", "hosted")
    return Answer([dict(zip(names, row, strict=True)) for row in rows], table(*names, rows=rows))


def invite(*, party: Annotated[str, Parameter(name="--as")] = "", data: Data = HERE) -> Answer:
    """Invite a firm into the network; give the printed secret by hand, it opens the door once, within 14 days.

    Parameters
    ----------
    party
        Who invites; the registrar, where none is named.
    """
    with Node(data, helper=False) as node:
        secret = joining.invite(node, party or registrar(node))
    return Answer({"secret": secret, "seconds": joining.INVITATION_SECONDS}, secret)


def join(
    party: str,
    secret: str,
    *,
    name: str,
    kind: PartyKind = "distributor",
    country: str = "DE",
    city: str = "",
    data: Data = HERE,
) -> Answer:
    """A party that this node hosts joins the network by an invitation.

    Parameters
    ----------
    party
        Its id on the record.
    secret
        What `hanse party invite` printed.
    """
    with Node(data, helper=False) as node:
        home = joining.join(node, party, secret, name=name, kind=kind, country=country, city=city)
    return Answer({"party": party, "home": home}, f"{party} is here")


def staff(
    party: str,
    email: str,
    *,
    role: Role = "owner",
    name: str = "",
    limit_minor: Positive | None = None,
    url: str = URL,
    data: Data = HERE,
) -> Answer:
    """Invite a person to work for a hosted party; the printed link opens an account, once, within 7 days.

    Parameters
    ----------
    role
        What the person may do.
    limit_minor
        The largest order that this person may place alone, in minor units of the currency (cents).
    url
        Where people reach this node.
    """
    with Node(data, helper=False) as node:
        if node.view().get(PARTIES, party) is None or node.wallet.key_of(party) is None:
            raise Refused("party.not_hosted", "this node hosts no such party", got=party, next="see `hanse party list`")
    link = invitation(data, party, email, role=role, name=name, limit_minor=limit_minor, url=url)
    return Answer({"party": party, "email": email, "role": role, "link": link}, link)


def invitation(
    data: Data, party: str, email: str, *, role: str, name: str = "", limit_minor: int | None = None, url: str = URL
) -> str:
    """The link of a new invitation for a person."""
    accounts = AccountStore(data / ACCOUNTS)
    try:
        raw = accounts.invite(email, party, role, name=name, approval_limit_minor=limit_minor)
    finally:
        accounts.close()
    return f"{url.rstrip('/')}/invitation/{raw}"
