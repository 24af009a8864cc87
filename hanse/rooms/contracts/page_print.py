"""A contract to print: its sentences, rules, terms, signatures, and the hashes by which the record knows it."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.response import Response
from msgspec import Struct

from hanse.kernel.kept import CHAIN
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.contracts.page_agreement import ClauseShown, clauses_of, hashes_of, surroundings
from hanse.rooms.contracts.page_lists import Listed, Told, told
from hanse.rooms.contracts.page_params import label_of
from hanse.rooms.contracts.page_parts import CRUMBS, address, named
from hanse.rooms.contracts.proposals import plan_in
from hanse.rooms.contracts.queries import agreement_page
from hanse.rooms.orders.naming import MADE_UP_ID
from hanse.rooms.parties.queries import party_name
from hanse.site.desks import desk
from hanse.site.menu import TRADE
from hanse.site.pages_forms import Accounts, note_seen
from hanse.web import Read, Reader, needs_role, not_here, page
from hanse.web.settings import qr_svg


class Printable(Struct, frozen=True):
    """A contract as paper shows it; the same agreement at the same entry of its circle gives the same.

    Attributes:
        called: the agreement by its number, "Agreement" where a program numbered it; number: as the record has it.
        parties: (role, name, entry of the signature or None). hashes: (what, hex), and `circle_hash` as it stood after
        entry `circle_entry`. link: address of the agreement's entry. from_at, until_at, signed_at: UTC seconds, 0 open.
    """

    title: str
    called: str
    number: str
    version: int
    state: str
    unproven: bool
    from_at: int
    until_at: int
    signed_at: int
    entry: int
    parties: tuple[tuple[str, str, int | None], ...]
    clauses: tuple[ClauseShown, ...]
    params: tuple[tuple[str, str], ...]
    lists: tuple[Listed, ...]
    around: tuple[tuple[str, str], ...]
    hashes: tuple[tuple[str, str], ...]
    circle: str
    circle_hash: str
    circle_entry: int
    link: str


def printable(view: View, circle: str, agreement: str, base: str) -> Printable | None:
    """The version of an agreement that is in force now.

    Args:
        base: the address of the node, to which the entry's is added.
    """
    shown = agreement_page(view, circle, agreement, results=1) if view.home else None
    if shown is None:
        return None
    card = shown.card
    version = shown.versions[card.version - 1]
    plan = plan_in(view, version.content)
    terms = told(view, plan.terms) if plan else Told((), ())
    chain = view.get(CHAIN, circle)
    signed = dict(version.signed)
    roles = version.content.roles
    return Printable(
        title=card.title or agreement,
        called="Agreement" if MADE_UP_ID.fullmatch(agreement) else f"Agreement {agreement}",
        number=agreement,
        version=card.version,
        state=card.state.replace("_", " "),
        unproven=card.unproven,
        from_at=version.from_at,
        until_at=card.until_at,
        signed_at=version.from_at,
        entry=version.position,
        parties=tuple((label_of(role), party_name(view, party), signed.get(party)) for role, party in roles),
        clauses=tuple(clauses_of(plan.terms, shown.prose)) if plan else (),
        params=terms.pairs,
        lists=terms.lists,
        around=tuple(surroundings(view, version.content)),
        hashes=tuple(hashes_of(view, shown)),
        circle=circle,
        circle_hash=chain.hash.hex() if chain else "",
        circle_entry=chain.position if chain else 0,
        link=f"{base}/history/{version.position}",
    )


def _found(at: Desk, request: Request[Any, Any, Any], prefix: str) -> Printable:
    """Raises: 404 for those outside the agreement's circle."""
    circle, agreement = named(request, prefix, 2)
    found = printable(at.view, circle, agreement, str(request.base_url).rstrip("/"))
    if found is None:
        raise not_here()
    return found


@get("/contracts/print/{rest:path}", sync_to_thread=True)
def print_page(request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts) -> Any:
    """The contract to print."""
    needs_role(session, *TRADE)
    found = _found(desk(read, session), request, "/contracts/print/")
    note_seen(accounts, session, f"contract printed:{found.number}", request)
    crumbs = (*CRUMBS, (found.title, address("a", found.circle, found.number)))
    return page("contracts/print.html", title=found.title, crumbs=crumbs, c=found, code=qr_svg(found.link),
                pdf_href=address("pdf", found.circle, found.number))  # fmt: skip


def _paper_name(found: Printable) -> str:
    return found.title if found.called == "Agreement" else found.number


@get("/contracts/pdf/{rest:path}", sync_to_thread=True)
def pdf(request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts) -> Response[bytes]:
    """The contract as PDF: the same bytes for the same agreement."""
    from hanse.rooms.contracts.page_pdf import pdf_of

    needs_role(session, *TRADE)
    found = _found(desk(read, session), request, "/contracts/pdf/")
    note_seen(accounts, session, f"contract printed:{found.number}", request)
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in _paper_name(found))
    headers = {"Content-Disposition": f'attachment; filename="contract-{name}-v{found.version}.pdf"'}
    return Response(pdf_of(found), media_type="application/pdf", headers=headers)


PAGES: list[Any] = [print_page, pdf]
