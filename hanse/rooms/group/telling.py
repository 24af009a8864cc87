"""What may be told of a group's sums: none that rests on so few members that it shows whose they are.

Asked wherever a manager's word is signed (pages, API, command line). No rule refuses it, so that every record replays
(docs/decisions/0020).
"""

from __future__ import annotations

from hanse.kernel.refusal import require
from hanse.kernel.view import View
from hanse.rooms.group.facts import TellRebate, TellRound
from hanse.rooms.group.rows import COMMITMENTS_AT_HOME, REBATES_AT_HOME, REPORTS_AT_HOME, ROUNDS_AT_HOME

MEMBERS_MIN = 3
"""Of one member, a sum is its figure; of two, each reads the other's."""


def rests_on(view: View, fact: TellRound | TellRebate) -> int:
    """How many members a figure rests on: who has committed or bought anything, as the manager's home knows it.

    What the fact itself says counts where it is less, or where the reader is not the manager.
    """
    said = fact.members if isinstance(fact.members, int) else MEMBERS_MIN  # withheld: the rule refuses it
    if isinstance(fact, TellRound):
        if view.get(ROUNDS_AT_HOME, view.home, fact.round) is None:
            return said
        return min(
            said, view.count(COMMITMENTS_AT_HOME, "circle = ? AND round = ? AND each > 0", _of(view, fact.round))
        )
    if view.get(REBATES_AT_HOME, view.home, fact.rebate) is None:
        return said
    bought = "circle = ? AND rebate = ? AND signed_minor + imported_minor > 0"
    return min(said, view.count(REPORTS_AT_HOME, bought, _of(view, fact.rebate)))


def _of(view: View, name: str) -> tuple[str, str]:
    return view.home, name


def may_tell(view: View, fact: TellRound | TellRebate | None) -> bool:
    """Whether a figure rests on enough members to be told."""
    return fact is not None and rests_on(view, fact) >= MEMBERS_MIN


def check_telling(view: View, fact: TellRound | TellRebate) -> None:
    """Refuses: group.few_members."""
    found = rests_on(view, fact)
    done = "committed to it" if isinstance(fact, TellRound) else "reported purchases to you"
    require(
        found >= MEMBERS_MIN,
        "group.few_members",
        "a total of so few members would show whose figures they are",
        got=f"{found} {'member' if found == 1 else 'members'}",
        expected=f"at least {MEMBERS_MIN} members",
        next=f"tell it when {MEMBERS_MIN} members have {done}",
    )
