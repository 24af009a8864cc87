"""What replays of published histories share: agreements in a firm's own home, its lines stated in signed batches."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from hanse.engines.replies import Reply
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.node import Node
from hanse.node.write_path import Receipt
from hanse.rooms.contracts.facts import Attest, Propose, RegisterTemplate, Said
from hanse.rooms.contracts.private_rows import AWARDS, Award
from hanse.rooms.contracts.queries import award_page
from hanse.rooms.contracts.terms import Template, TermsRefused, compile_template

DAY_SECONDS = 86_400
BATCH = 1_000
WAIT_SECONDS = 120
EPOCH_DAY = 719_163
Progress = Callable[[str, int, int], None]
T = TypeVar("T")


class Stopwatch:
    """Seconds of each step, by the clock on the wall."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._begun = time.perf_counter()

    def lap(self, what: str) -> None:
        """What has passed since the last step."""
        self.seconds[what] = round(time.perf_counter() - self._begun - sum(self.seconds.values()), 3)


def template_for(text: str, params: Iterable[Mapping[str, Any]]) -> Template:
    """A compiled template, under which all these parameters bind. Refuses: terms.*."""
    try:
        compiled = compile_template(text)
        for one in params:
            compiled.bind(one)
    except TermsRefused as refused:
        raise Refused(refused.code, refused.message, got=refused.got, expected=refused.expected) from None
    return compiled


def agree(
    node: Node, party: str, home: str, text: str, terms: Mapping[str, Mapping[str, Any]], prefix: str
) -> dict[str, str]:
    """One agreement a partner, in the firm's home, where it signs for both; partner -> agreement.

    Args:
        terms: partner -> parameters. prefix: how agreements are called. The template's first role is the partner's.
    Refuses: as the facts' rules.
    """
    compiled = compile_template(text)
    node.act(party, RegisterTemplate(sha256=compiled.sha256, text=text), check=False)
    agreements: dict[str, str] = {}
    facts = []
    for partner, params in sorted(terms.items()):
        name = f"{prefix}-{slug(partner)}"
        while name in agreements.values():
            name += "+"
        agreements[partner] = name
        facts.append(
            Propose(
                circle=home,
                agreement=name,
                proposal=f"{name}/1",
                template=compiled.sha256,
                params=dict(params),
                roles={compiled.roles[0]: partner, compiled.roles[1]: party},
                from_at=1,
                note="Assumed terms: nobody signed them.",
            )
        )
    _wait([node.path.submit(node.wallet.sign(party, fact)) for fact in facts])
    return agreements


def state(node: Node, party: str, home: str, events: Sequence[list[Said]], progress: Progress) -> None:
    """State each line's events as a fact of its own, signed in batches. Refuses: as the facts' rules."""
    waiting: list[Reply[Receipt]] = []
    for start in range(0, len(events), BATCH):
        facts = [Attest(circle=home, events=said) for said in events[start : start + BATCH]]
        waiting += node.path.submit_all(node.wallet.sign_batch(party, list(facts)))
        progress("lines", min(start + BATCH, len(events)), len(events))
    _wait(waiting)


def _wait(replies: list[Reply[Receipt]]) -> None:
    for reply in replies:
        refusal = reply.result(WAIT_SECONDS).first_refusal
        if refusal is not None:
            raise Refused.of(refusal)


class Amount(Struct, frozen=True):
    """An amount that a clause gave. line: the last part of the clause's key. why: its steps, (name, value in words)."""

    line: str
    award: Award
    why: tuple[tuple[str, str], ...]


def amounts(view: View, agreement: str) -> Iterator[Amount]:
    """What an agreement in the reader's home gave."""
    for award in view.rows(AWARDS, "circle = ? AND agreement = ?", (view.home, agreement), limit=1_000_000):
        page = award_page(view, view.home, award.award)
        steps = tuple((step.name, step.value) for step in page.steps) if page else ()
        yield Amount(str(json.loads(award.key)[-1]), award, steps)


class Owing(Protocol):
    """What a clause made a vendor owe, minor units."""

    @property
    def owed_minor(self) -> int: ...


class OfVendor(Owing, Protocol):
    """A vendor's figures."""

    @property
    def vendor(self) -> str: ...


O = TypeVar("O", bound=Owing)
F = TypeVar("F", bound=OfVendor)


def grouped(lines: Iterable[T], name: Callable[[T], str]) -> dict[str, list[T]]:
    """Lines by a name of theirs, in the order in which names come.

    >>> grouped(["ab", "c", "ax"], lambda word: word[0])
    {'a': ['ab', 'ax'], 'c': ['c']}
    """
    found: dict[str, list[T]] = {}
    for line in lines:
        found.setdefault(name(line), []).append(line)
    return found


def ranked(
    agreements: Mapping[str, str],
    owed_of: Callable[[str, str], Iterable[O]],
    figures_of: Callable[[str, str, list[O]], F],
    then: Callable[[O], Any],
) -> tuple[tuple[F, ...], tuple[O, ...]]:
    """(vendors, the most owed first, then by name; amounts in their order, the largest of each vendor first).

    Args:
        agreements: vendor -> agreement. owed_of, figures_of: of a vendor and its agreement. then: decides between
            amounts of one vendor that are equal.
    """
    owed = {
        vendor: sorted(owed_of(vendor, name), key=lambda one: (-one.owed_minor, then(one)))
        for vendor, name in agreements.items()
    }
    figures = [figures_of(vendor, name, owed[vendor]) for vendor, name in agreements.items()]
    figures.sort(key=lambda one: (-one.owed_minor, one.vendor))
    return tuple(figures), tuple(one for vendor in figures for one in owed[vendor.vendor])


def slug(partner: str) -> str:
    """A partner's name as an identifier's end.

    >>> slug("RANBAXY Fine Chemicals LTD."), slug("Société X")
    ('ranbaxy-fine-chemicals-ltd', 'societe-x')
    """
    plain = unicodedata.normalize("NFKD", partner).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "vendor"


def day_at(text: str) -> int:
    """UTC seconds of a day's 00:00, written YYYY-MM-DD; what follows is not read.

    >>> day_at("1970-01-02 00:00:00")
    86400
    """
    return (date.fromisoformat(text[:10]).toordinal() - EPOCH_DAY) * DAY_SECONDS


def day_text(at: int) -> str:
    """The day of UTC seconds.

    >>> day_text(86_400)
    '1970-01-02'
    """
    return date.fromordinal(EPOCH_DAY + at // DAY_SECONDS).isoformat()
