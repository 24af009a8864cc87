"""History: what was signed, entry by entry, as sentences; and one entry with its figures, its bytes and its proof."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Template

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.history import Figure, Told, recent, size_of, told
from hanse.node.node import Node
from hanse.node.prove import Proof, prove
from hanse.rooms.accounts.page_words import item_link, payment_words
from hanse.rooms.accounts.rows import ITEMS, PAYMENTS
from hanse.rooms.contracts.page_parts import agreement_title, award_words, circle_words
from hanse.rooms.contracts.private_rows import AWARDS
from hanse.rooms.parties.facts import KEYS, PARTIES
from hanse.rooms.parties.queries import circle_card
from hanse.site.menu import EVERYBODY, Entry
from hanse.site.names import NAMES, known
from hanse.site.pages_forms import Accounts, Where, note_seen
from hanse.site.pages_market import called
from hanse.site.places import Places
from hanse.site.sentences import OK, Sentence, sentence
from hanse.web import Badge, Link, Read, Reader, Session, not_here, page
from hanse.web.formats import Money, time_text

ROWS = 40
SEARCHED_MAX = 4_000
"""How many entries a filtered list looks through for one page."""
FILTERS = (("What was signed", ""), ("Yours", "mine"), ("Orders", "orders"), ("Stock and offers", "inventory"),
           ("Catalogue", "catalog"), ("Members", "parties"), ("Deadlines too", "all"))  # fmt: skip
STATES = {"public": Badge("public", "info"), "proven": Badge("proven", "proven"), "erased": Badge("erased", "quiet")}


class Row(msgspec.Struct, frozen=True):
    """One line of the list."""

    entry: Told
    said: Sentence


def _fits(entry: Told, chosen: str) -> bool:
    if chosen == "mine":
        return entry.mine
    if chosen in ("", "all"):
        return chosen == "all" or entry.form != "timer"
    return entry.kind.startswith(f"{chosen}.")


def _found(node: Node, view: View, before: int, chosen: str) -> tuple[list[Told], int]:
    """Entries before a position that fit, newest first, and where the next page begins (0: at the start)."""
    at, looked, found = before, 0, list[Told]()
    while at > 0 and len(found) < ROWS and looked < SEARCHED_MAX:
        part = recent(node, view, before=at, limit=200 if chosen != "all" else ROWS)
        for entry in part:
            at, looked = entry.position, looked + 1
            if _fits(entry, chosen):
                found.append(entry)
                if len(found) == ROWS:
                    break
        if not part:
            return found, 0
    return found, at


@get("/history", sync_to_thread=True)
def history_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Template:
    """The newest entries, as plain sentences."""
    node: Node = read
    view = node.view(session.party)
    chosen = request.query_params.get("show", "")
    chosen = chosen if chosen in {name for _, name in FILTERS} else ""
    text = request.query_params.get("before", "")
    size = size_of(view)
    before = min(int(text), size) if text.isdigit() and len(text) < 16 else size
    entries, after = _found(node, view, before, chosen)
    rows = [Row(entry, sentence(view, entry)) for entry in entries]
    return page(
        "site/history.html", title="History", rows=rows, filters=FILTERS, chosen=chosen, size=size,
        published=min(size, node.log.published_size), after=after, newest=before >= size,
    )  # fmt: skip


# -- one entry -----------------------------------------------------------------------------------------------------


def _words(name: str) -> str:
    """A figure's name in words: `lines.1.unit_price_minor` is "line 1: unit price".

    >>> _words("lines.1.unit_price_minor"), _words("expires_at"), _words("(personal)")
    ('line 1: unit price', 'expires', 'a personal detail')
    """
    if name == "(personal)":
        return "a personal detail"
    parts: list[str] = []
    for part in name.split("."):
        if part.isdigit() and parts:
            parts[-1] = f"{parts[-1].removesuffix('s')} {part}"
            continue
        for suffix in ("_minor", "_microdeg", "_at", "_ppm", "_hash"):
            part = part.removesuffix(suffix)
        parts.append(part.replace("_", " "))
    return ": ".join(parts)


def _value(figure: Figure, entry: Told, currency: str, view: View, places: Places) -> Any:
    """A figure as people read it: money, quantity, time, a name that leads somewhere; with the id that was signed."""
    value, last = figure.value, figure.name.rpartition(".")[2]
    if figure.state == "erased":
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _number(value, last, currency)
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value) or "–"
    name = _known(view, entry, last, str(value)) if value else ""
    if name and name != value:
        words = f"{name} ({value})"
        return Link(words, places.of(last, str(value))) if last in ("order", "offer") else words
    kind = {"item": "item", "substitute": "item", "order": "order", "offer": "offer", "own_number": "own"}.get(last)
    if kind and value:
        return Link(str(value), places.of(kind, str(value)))
    row = view.get(PARTIES, str(value)) if "party" in last or last in ("partner", "owner") else None
    return Link(row.name, places.of("party", row.party)) if row else value


def _known(view: View, entry: Told, field: str, value: str) -> str:
    """What the reader's firm calls what a field names, "" where it has no other name for it."""
    if not entry.mine or not view.home:
        return ""
    if entry.kind.startswith("accounts.") and field in ("item", "invoice", "reference"):
        item = view.get(ITEMS, entry.circle, value)
        return item_link(item, view).text if item else ""
    if field == "agreement":
        return agreement_title(view, entry.circle, value).removeprefix(f"Agreement {value}")
    if field == "payment":
        paid = view.get(PAYMENTS, entry.circle, value)
        return payment_words(view, paid).removeprefix(f"Payment {value}") if paid else ""
    if field == "award":
        award = view.get(AWARDS, entry.circle, value)
        return award_words(view, award) if award else ""
    if field == "circle":
        return circle_words(view, value)
    if field in NAMES:
        return known(view, entry.circle, field, value)
    return called(view, value) if field in ("order", "shipment") else ""


def _number(value: int, name: str, currency: str) -> Any:
    if name.endswith("_minor"):
        return Money(value, currency) if currency else value
    if name.endswith("_at") or name in ("confirm_by", "answer_by", "arrive_by"):
        return time_text(value) + " UTC" if 0 < value < 2**40 else "–"
    if name.endswith("_microdeg"):
        return f"{value / 1e6:.5f}°"
    if name.endswith("_ppm"):
        return f"{value / 10_000:g} %"
    return f"{value:,} each" if name == "each" or name.endswith("_each") else f"{value:,}"


def figures(view: View, entry: Told, places: Places) -> list[list[Any]]:
    """The figures of an entry for a table: words, value, state; what is not disclosed to the reader last."""
    currency = next((str(f.value) for f in entry.figures if f.name == "currency"), "")
    rows: list[list[Any]] = [
        [_words(f.name), _value(f, entry, currency, view, places), STATES.get(f.state, Badge(f.state))]
        for f in entry.figures
    ]
    n = entry.withheld
    if n > 0:
        words = "1 more figure" if n == 1 else f"{n} more figures"
        rows.append([words, None, Badge("not disclosed to you", "quiet")])
    return rows


def _proof(node: Node, position: int) -> Proof | None:
    """The proof, None where no checkpoint covers the entry yet. Refuses: node.damaged."""
    try:
        return prove(node, position)
    except Refused as refused:
        if refused.code == "record.unknown_entry":
            return None
        raise


def _between(view: View, entry: Told) -> str:
    """Who may read the private figures of an entry, in words."""
    card = circle_card(view, entry.circle) if entry.mine else None
    if card is None:
        return "its parties alone; you are not one of them" if entry.circle else "everybody"
    if card.purpose == "home":
        return "you alone"
    if card.purpose == "group":
        return f"the {len(card.members)} members of {card.name}"
    return " and ".join(member.name for member in card.members)


def _signer(view: View, entry: Told, places: Places) -> dict[str, Any]:
    key = view.get(KEYS, entry.kid) if entry.kid else None
    alone = view.get(PARTIES, entry.signer)
    name = entry.signer_name or "a member who is not named to you"
    state = Badge("good at the time", "good")
    if key is not None and key.compromised:
        state = Badge("declared compromised later", "warn")
    return {
        "link": Link(name, places.of("party", alone.party) if alone else ""), "alias": "" if alone else entry.signer,
        "kid": entry.kid, "key": key, "state": state,
    }  # fmt: skip


def _neighbours(node: Node, view: View, position: int) -> list[tuple[str, Told, Sentence]]:
    found = []
    for words, at in (("before", position - 1), ("after", position + 1)):
        with suppress(Refused):
            entry = told(node, view, at)
            found.append((words, entry, sentence(view, entry)))
    return found


@get("/history/{position:int}", sync_to_thread=True)
def entry_page(
    request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, accounts: Accounts,
    position: FromPath[int],
) -> Template:  # fmt: skip
    """One entry: sentence, signer, figures, bytes, proof, neighbours."""
    node: Node = read
    view = node.view(session.party)
    try:
        entry = told(node, view, position)
    except Refused as refused:
        raise not_here() from refused
    if entry.mine:
        note_seen(accounts, session, f"entry:{position}", request)
    proof = _proof(node, position)
    data = _proof_data(proof, entry) if proof else None
    return page(
        "site/entry.html", title=f"Entry {position:,}", crumbs=(("History", "/history"),), entry=entry,
        said=sentence(view, entry), figures=figures(view, entry, places), between=_between(view, entry),
        signer=_signer(view, entry, places) if entry.signer else None, proof=data, size=size_of(view),
        neighbours=_neighbours(node, view, position), stands=entry.outcome == OK, seen=_seen(accounts, session, entry),
        sentence_proven=proof.sentence if proof else "", batched=bool(proof and proof.fact and proof.fact.batched),
    )  # fmt: skip


def _proof_data(proof: Proof, entry: Told) -> dict[str, Any]:
    """What the browser checks by itself; see `static/verify.js`."""
    data: dict[str, Any] = msgspec.to_builtins(proof)
    fact = data.pop("fact")
    if fact and fact["public_key"]:
        data["fact"] = {**fact, "signer": entry.signer_name or fact["signer"]}
    return data


def _seen(accounts: Any, session: Session, entry: Told) -> list[Any]:
    """The last looks of the reader's own people at this entry."""
    if not entry.mine:
        return []
    looks = accounts.seen.recent(party=session.party, limit=500, what=f"entry:{entry.position}")
    return [
        [(accounts.user(s.user).name if s.user and accounts.user(s.user) else "by a link"), s.at] for s in looks[:8]
    ]


NAV = [Entry("History", "/history", "Record", EVERYBODY)]
PAGES: list[Any] = [history_page, entry_page]
