"""What the pages of contracts share: tabs, addresses, words for states, templates by hash or library name."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from litestar import Request

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.contracts.compiled import refused_of, template_of
from hanse.rooms.contracts.library import names, text_of
from hanse.rooms.contracts.private_rows import (
    AGREEMENTS,
    AWARDS,
    DISPUTED,
    DISPUTES,
    PENDING,
    PROPOSALS,
    STANDING,
    UNPROVEN,
    VERSIONS,
    VOID,
    Award,
    Content,
)
from hanse.rooms.contracts.rows import TEMPLATES
from hanse.rooms.contracts.terms import Template, TermsRefused
from hanse.rooms.orders.naming import MADE_UP_ID
from hanse.rooms.parties.queries import circle_card, party_name
from hanse.site.pages_market import called
from hanse.web import Badge, not_here
from hanse.web.formats import time_text

DAY = 86_400
CRUMBS = (("Contracts", "/contracts"),)
TABS = (
    ("Agreements", "/contracts"),
    ("Propose", "/contracts/new"),
    ("Simulator", "/contracts/simulate"),
    ("Scorecards", "/contracts/scorecards"),
    ("Disputes", "/contracts/disputes"),
)
AGREEMENT_BADGES = {
    "in_force": Badge("in force", "good"),
    "coming": Badge("not yet in force", "info"),
    "ended": Badge("ended", "quiet"),
}
PROPOSAL_BADGES = {
    "open": Badge("open", "info"),
    "signed": Badge("signed by all", "good"),
    "countered": Badge("answered by another", "quiet"),
    "lapsed": Badge("lapsed", "warn"),
    "ended": Badge("withdrawn or declined", "quiet"),
}
AWARD_BADGES = {
    PENDING: Badge("pending", "info"),
    STANDING: Badge("stands", "good"),
    DISPUTED: Badge("disputed", "bad"),
    VOID: Badge("void", "quiet"),
    UNPROVEN: Badge("unproven", "unproven"),
}
DISPUTE_BADGES = {
    "open": Badge("answer awaited", "warn"),
    "answered": Badge("decision awaited", "warn"),
    "decided": Badge("decided", "good"),
    "accepted": Badge("accepted", "good"),
    "withdrawn": Badge("withdrawn", "quiet"),
    "unanswered": Badge("never answered", "quiet"),
    "undecided": Badge("never decided", "quiet"),
}


def address(kind: str, *parts: str) -> str:
    """A page's address for names that may hold anything.

    >>> address("a", "c1", "A 1/2")
    '/contracts/a/c1/A%201%2F2'
    """
    return "/".join((f"/contracts/{kind}", *(quote(part, safe="") for part in parts)))


def named(request: Request[Any, Any, Any], prefix: str, n: int) -> list[str]:
    """The n names that follow a prefix in the address as it was written. Raises: 404 where there are others."""
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    rest = raw.decode("ascii", "replace").partition("?")[0].removeprefix(prefix)
    found = [unquote(part) for part in rest.split("/")]
    if len(found) != n or not all(found):
        raise not_here()
    return found


def find_template(view: View, which: str) -> Template | None:
    """A template by its hash, as registered, or by its name in the library."""
    row = view.get(TEMPLATES, which)
    if row is not None:
        return template_of(row.text)
    return template_of(text_of(which)) if which in names() else None


def read_template(text: str) -> Template:
    """A template as somebody wrote it. Refuses: terms.*."""
    try:
        return template_of(text)
    except TermsRefused as refused:
        raise refused_of(refused) from None


def needed_template(view: View, which: str) -> Template:
    """Raises: 404 where there is no such template."""
    found = find_template(view, which)
    if found is None:
        raise not_here()
    return found


def template_choices(view: View) -> list[tuple[str, str, str, str]]:
    """(hash or library name, title, version, whose) of every template that may be proposed, the library's first."""
    found = {}
    for name in names():
        template = template_of(text_of(name))
        found[template.sha256] = (name, template.document.title, template.version, "the library")
    for row in view.rows(TEMPLATES, order="title, version, sha256", limit=200):
        if row.sha256 not in found:
            found[row.sha256] = (row.sha256, row.title, row.version, party_name(view, row.publisher))
    return list(found.values())


def summary_of(template: Template) -> str:
    """A template's own line about itself, "" where it has none."""
    return str(template.document.canonical.get("summary", ""))


def circle_words(view: View, circle: str) -> str:
    """Who is in a circle beside the reader, in names."""
    card = circle_card(view, circle)
    if card is None:
        return circle
    if card.purpose == "home":
        return "own books"
    others = [member.name for member in card.members if not member.mine]
    return card.name if card.purpose == "group" else ", ".join(others) or circle


def key_words(view: View, key: str, circle: str = "") -> str:
    """What a clause ran for, in words: its key is a JSON list of an order, a shipment or a document, and a line.

    `["sh-o-a57a13c43535a9737080","2"]` is "4711-WINCH, line 2" where the reader's firm calls the order so.
    circle: the agreement's; its documents are called by their issuers' numbers.
    """
    parts = [called(view, part, circle) for part in key.strip("[]").replace('"', "").split(",")]
    return ", ".join(part if n == 0 or not part.isdecimal() else f"line {part}" for n, part in enumerate(parts))


def agreement_title(view: View, circle: str, agreement: str) -> str:
    """An agreement by its number; by the title of its newest version's terms, where a program numbered it."""
    if not MADE_UP_ID.fullmatch(agreement):
        return f"Agreement {agreement}"
    row = view.get(AGREEMENTS, circle, agreement)
    version = view.get(VERSIONS, circle, agreement, row.versions[-1][0]) if row and row.versions else None
    if version is not None:
        return content_title(view, version.content, agreement)
    where = "circle = ? AND agreement = ?"
    drafts = view.rows(PROPOSALS, where, (circle, agreement), limit=1)
    return content_title(view, drafts[0].content, agreement) if drafts else f"Agreement {agreement}"


def content_title(view: View, content: Content, agreement: str) -> str:
    """What terms are called; the agreement's number where their template is not known here."""
    template = find_template(view, content.template)
    return template.document.title if template else f"Agreement {agreement}"


def award_words(view: View, award: Award) -> str:
    """A result in money by its reason and what it is for: "Liquidated damages for TT-881, line 1"."""
    label = award.label.replace("_", " ")
    words = label[:1].upper() + label[1:]
    return f"{words} for {key_words(view, award.key, award.circle)}" if award.key.strip("[]") else words


def dispute_words(view: View, circle: str, dispute: str) -> str:
    """A dispute by the result that it is about, within a sentence; by its number where that is not the reader's."""
    row = view.get(DISPUTES, circle, dispute)
    award = view.get(AWARDS, circle, row.award) if row else None
    if award is None:
        return f"dispute {dispute}"
    words = award_words(view, award)
    return f"the dispute of {words[:1].lower()}{words[1:]}"


def change_words(change: str) -> str:
    """One difference of two sets of terms, for people: labels for names, days for seconds, days of the calendar.

    >>> change_words("params.pay_within: 30 days becomes 14 days"), change_words("notice_seconds: 0 becomes 864000")
    ('Pay within: 30 days becomes 14 days', 'Notice: 0 days becomes 10 days')
    >>> change_words("until_at: 0 becomes 1790000000")
    'Until: open becomes 21 Sep 2026'
    """
    name, _, rest = change.partition(": ")
    before, _, after = rest.partition(" becomes ")
    if name.endswith("_seconds") and before.isdigit() and after.isdigit():
        rest = f"{int(before) // DAY} days becomes {int(after) // DAY} days"
    elif name.endswith("_at") and before.isdigit() and after.isdigit():
        days = [time_text(int(text), with_time=False) if int(text) else "open" for text in (before, after)]
        rest = " becomes ".join(days)
    label = name.removeprefix("params.").removesuffix("_seconds").removesuffix("_at").replace("_", " ")
    return f"{label[:1].upper()}{label[1:]}: {rest}"


def may(found: Desk, *kinds: Any) -> dict[str, bool]:
    """Which kinds the desk may sign, by the last word of their name."""
    return {kind.kind.partition(".")[2]: found.may(kind) for kind in kinds}
