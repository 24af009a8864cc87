"""Numbers of documents, and their waits: the part of accounts that everybody sees."""

from __future__ import annotations

from hanse.kernel.draft import Draft
from hanse.kernel.refusal import Refused, require
from hanse.rooms.accounts.rows import PAPERS, Paper
from hanse.rooms.parties.facts import Circle
from hanse.rooms.parties.rules import require_member

WAIT_SECONDS_MAX = 2 * 366 * 86_400


def paper(draft: Draft, circle: str, number: str, kind: str, ends_at: int = 0) -> Circle:
    """Take a number for a document that the signer signs first, in a circle that it is in.

    Writes: PAPERS. Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.number_taken.
    """
    found = require_member(draft, circle)
    taken = draft.get(PAPERS, number)
    require(taken is None, "accounts.number_taken", "this number is taken", got=number, next="choose another")
    draft.put(
        PAPERS,
        Paper(paper=number, circle=circle, paper_kind=kind, alias=draft.signer, at=draft.now, ends_at=ends_at),
    )
    return found


def find_paper(draft: Draft, circle: str, number: str, kind: str) -> Paper:
    """A document of a circle that the signer is in; one of another circle or kind is as unknown as none.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.unknown_number.
    """
    require_member(draft, circle)
    found = draft.get(PAPERS, number)
    if found is None or found.circle != circle or found.paper_kind != kind:
        raise Refused("accounts.unknown_number", "no such document in this circle", got=number)
    return found


def ahead(draft: Draft, at: int, what: str) -> None:
    """Refuses: accounts.bad_deadline, where a deadline is not ahead, or more than two years ahead."""
    require(
        draft.now < at <= draft.now + WAIT_SECONDS_MAX,
        "accounts.bad_deadline",
        f"{what} lies ahead, at most two years",
        got=at,
        expected=f"> {draft.now}",
    )
