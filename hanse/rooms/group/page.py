"""Groups that buy together: what they are, who is in them, joining and leaving. Each tab has its own file."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.response import Response

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.group import page_lots, page_rebates, page_rounds
from hanse.rooms.group.facts import Charter, Join, Leave
from hanse.rooms.group.page_words import ROLES, at_desk, frame, name_of
from hanse.rooms.group.queries import GroupCard, groups, round_page, rounds
from hanse.rooms.group.rows import GROUPS, MEMBERSHIPS, OPEN
from hanse.rooms.parties.queries import alias_in, circle_card, circles
from hanse.site.menu import Entry
from hanse.site.pages_forms import Fields, Given, attempt, day_after
from hanse.web import Badge, Link, Read, Reader, Refusal, go, page


@get("/group", sync_to_thread=True)
def group_page(session: Reader, read: Read) -> Any:
    """The groups of the reader's circles, and their members."""
    return _page(at_desk(read, session))


def _page(found: Desk, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None) -> Any:
    view = found.view
    chartered = {card.terms.circle for card in groups(view)}
    free = [card for card in circles(view, "group") if card.circle not in chartered]
    mine = [(card.circle, card.name) for card in free if card.members and card.members[0].party == view.party]
    return page(
        "group/group.html", title="Group", status=status, refusal=refusal, given=given or {},
        shown=[_shown(view, card) for card in groups(view)], to_charter=mine if found.may(Charter) else [],
        may_join=found.may(Join), **frame(found, "/group"), until=day_after(view.now, 30),
    )  # fmt: skip


def _shown(view: View, card: GroupCard) -> dict[str, Any]:
    """A group with its members, by name: in the circle they know each other."""
    found = circle_card(view, card.terms.circle)
    members: list[list[Any]] = []
    for member in found.members if found else []:
        if member.party == card.terms.manager:
            continue
        row = view.get(MEMBERSHIPS, card.group.group_id, alias_in(view, card.terms.circle, member.party))
        state = (
            Badge("not in it", "quiet") if row is None else Badge("left") if row.left_at else Badge("member", "good")
        )
        since = row.left_at or row.joined_at if row else 0
        members.append([Link(name_of(view, member.party), f"/parties/{member.party}"), state, since])
    members.sort(key=lambda one: str(one[0].text))
    return {"card": card, "manager": name_of(view, card.terms.manager), "members": members}


@post("/group/charter", sync_to_thread=True)
def charter(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """Make a group circle a buying group, and manage it."""
    given, found = Given(data), at_desk(read, session)

    def act() -> Response[Any]:
        options = [card.circle for card in circles(found.view, "group")]
        fact = Charter(
            circle=given.choice("circle", "Of which circle", options),
            group=found.node.wallet.new_id("group")[:16],
            name=given.text("name", "Name", required=True, most=200),
            currency=given.currency(default="EUR"),
            purpose=given.text("purpose", "Purpose", most=2_000),
        )
        found.do(fact)
        return go("/group", notice="Opened. Its members may join now.")

    return attempt(act, lambda status, refusal: _page(found, status, refusal, data))  # type: ignore[no-any-return]


@post("/group/join", sync_to_thread=True)
def join(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """Join a group."""
    given, found = Given(data), at_desk(read, session)

    def act() -> Response[Any]:
        name = _named(found, given)
        found.do(Join(circle=_circle(found.view, name), group=name))
        return go("/group", notice="Joined.")

    return attempt(act, lambda status, refusal: _page(found, status, refusal, data))  # type: ignore[no-any-return]


@post("/group/leave", sync_to_thread=True)
def leave(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """Leave a group; what was committed and earned stands."""
    given, found = Given(data), at_desk(read, session)

    def act() -> Response[Any]:
        name = _named(found, given)
        found.do(Leave(circle=_circle(found.view, name), group=name))
        return go("/group", notice="Left.")

    return attempt(act, lambda status, refusal: _page(found, status, refusal, data))  # type: ignore[no-any-return]


def _named(found: Desk, given: Given) -> str:
    """Refuses, in order: form.missing, group.unknown_group."""
    name = given.text("group", "Group", required=True, most=80)
    if name not in {card.group.group_id for card in groups(found.view)}:
        raise Refusal("group.unknown_group", "There is no such group in your circles.", got=name)
    return name


def _circle(view: View, group: str) -> str:
    row = view.get(GROUPS, group)
    assert row is not None, "it was among the reader's groups"
    return row.circle


def _waiting(view: View) -> int:
    """Open rounds of the reader's groups to which it has not committed; a manager's own count no more."""
    managed = {card.terms.circle for card in groups(view) if card.i_manage}
    open_ = [round_page(view, row.round) for row in rounds(view) if row.circle not in managed]
    return sum(
        1 for one in open_ if one and one.round.state == OPEN and one.round.commit_by > view.now and not one.mine
    )


NAV = [Entry("Group", "/group", "Partners", ROLES, _waiting)]
PAGES: list[Any] = [
    group_page, charter, join, leave, *page_rounds.PAGES, *page_rebates.PAGES, *page_lots.PAGES,
]  # fmt: skip
