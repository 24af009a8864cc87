"""Purchasing rounds: tiers as a picture, what is committed so far, the reader's own commitment, the manager's acts."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.response import Response

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.catalog import queries as catalog
from hanse.rooms.group.facts import CloseRound, Commit, OpenRound, PriceTier, TellRound
from hanse.rooms.group.page_words import (
    CRUMBS,
    ROUND_STATES,
    at_desk,
    frame,
    item_short,
    item_words,
    name_of,
    price_picture,
    price_tiers,
)
from hanse.rooms.group.queries import RoundPage, closing, groups, round_page, round_total, rounds, telling
from hanse.rooms.group.rows import DECIDING, GROUP_TERMS, OPEN
from hanse.rooms.group.telling import MEMBERS_MIN, may_tell
from hanse.rooms.parties.queries import relationship_with
from hanse.site.pages_forms import Fields, Given, attempt, day_after
from hanse.web import Money, Read, Reader, Refusal, go, page

TIER_FIELDS = 4


@get("/group/rounds", sync_to_thread=True)
def rounds_page(session: Reader, read: Read) -> Any:
    """Rounds that are open, with forms; and how earlier ones ended."""
    return _page(at_desk(read, session))


def _page(found: Desk, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None) -> Any:
    view = found.view
    known = [one for row in rounds(view) if (one := round_page(view, row.round)) is not None]
    known.sort(key=lambda one: (-one.round.commit_by, one.round.round))
    live = [one for one in known if one.round.state in (OPEN, DECIDING)]
    managed = {card.terms.circle for card in groups(view) if card.i_manage}
    return page(
        "group/rounds.html", title="Purchasing rounds", crumbs=CRUMBS, status=status, refusal=refusal,
        given=given or {}, live=[_live(view, one, managed) for one in live],
        ended=[_ended(view, one) for one in known if one not in live], may_commit=found.may(Commit),
        may_manage=found.may(OpenRound), until=day_after(view.now, 21), tier_fields=range(1, TIER_FIELDS + 1),
        to_open=[(card.group.group_id, card.terms.name) for card in groups(view) if card.i_manage],
        **frame(found, "/group/rounds"),
    )  # fmt: skip


def _live(view: View, one: RoundPage, managed: set[str]) -> dict[str, Any]:
    terms = one.terms
    mine = terms.circle in managed
    top = terms.tiers[-1].start
    told = terms.told_each
    group = view.get(GROUP_TERMS, terms.circle, one.round.group_id)
    return {
        "p": one, "group": group.name if group else one.round.group_id,
        "badge": ROUND_STATES[one.round.state], "item": item_words(view, terms.item),
        "supplier": name_of(view, terms.supplier), "tiers": price_tiers(terms.tiers, terms.currency),
        "picture": price_picture(terms.tiers, terms.currency, told, f"Price of one: {item_short(view, terms.item)}"),
        "share_ppm": min(1_000_000, told * 1_000_000 // top) if top else 0, "manage": mine, "top": top,
        "near": 0 < one.next_tier_each <= top // 10, "open": one.round.state == OPEN and one.round.commit_by > view.now,
        "total": round_total(view, one.round.round) if mine else None,
        "tell": mine and may_tell(view, telling(view, one.round.round)), "members_min": MEMBERS_MIN,
    }  # fmt: skip


def _ended(view: View, one: RoundPage) -> list[Any]:
    terms, takes = one.terms, Money(one.my_amount_minor, one.terms.currency) if one.my_each else None
    price = Money(terms.unit_price_minor, terms.currency) if terms.unit_price_minor else None
    return [
        item_short(view, terms.item), ROUND_STATES[one.round.state], one.round.commit_by, terms.told_each,
        terms.told_members, price, one.my_each or None, takes, terms.position,
    ]  # fmt: skip


def _round(found: Desk, given: Given) -> RoundPage:
    """Refuses, in order: form.missing, group.unknown_round."""
    name = given.text("round", "Round", required=True, most=80)
    one = round_page(found.view, name)
    if one is None:
        raise Refusal("group.unknown_round", "There is no such round in your groups.", got=name)
    return one


@post("/group/commit", sync_to_thread=True)
def commit(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """Commit to a round, between this firm and the manager alone; the last word before the deadline counts."""
    given, found = Given(data), at_desk(read, session)

    def act() -> Response[Any]:
        one, view = _round(found, given), found.view
        group = view.get(GROUP_TERMS, one.terms.circle, one.round.group_id)
        circle = relationship_with(view, group.manager) if group else ""
        if not circle:
            raise Refusal(
                "group.no_relationship", "You trade in confidence with the manager first.",
                next="Open a relationship from the manager's page among the members.",
            )  # fmt: skip
        each = given.whole("each", "How many")
        most = given.minor("most", "At most, for one", one.terms.currency, default="0")
        found.do(Commit(circle=circle, round=one.round.round, each=each, price_max_minor=most))
        return go("/group/rounds", notice="Committed." if each else "Withdrawn.")

    return attempt(act, lambda status, refusal: _page(found, status, refusal, data))  # type: ignore[no-any-return]


@post("/group/tell", sync_to_thread=True)
def tell(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """The manager tells the group what is committed so far."""
    return _manage(Given(data), at_desk(read, session), telling, "Told.")


@post("/group/close", sync_to_thread=True)
def close(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """The manager closes a round after its deadline."""
    return _manage(Given(data), at_desk(read, session), closing, "Closed.")


def _manage(given: Given, found: Desk, word: Any, notice: str) -> Response[Any]:
    def act() -> Response[Any]:
        fact: TellRound | CloseRound | None = word(found.view, _round(found, given).round.round)
        if fact is None:
            raise Refusal("group.not_manager", "The manager signs this.")
        found.do(fact)
        return go("/group/rounds", notice=notice)

    return attempt(act, lambda status, refusal: _page(found, status, refusal, given.data))  # type: ignore[no-any-return]


@post("/group/rounds", sync_to_thread=True)
def open_round(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """The manager opens a round."""
    given, found = Given(data), at_desk(read, session)

    def act() -> Response[Any]:
        found.do(_opening(found, given))
        return go("/group/rounds", notice="Opened. Members see it now.")

    return attempt(act, lambda status, refusal: _page(found, status, refusal, data))  # type: ignore[no-any-return]


def _opening(found: Desk, given: Given) -> OpenRound:
    """What the form says. Refuses, in order: as `Given`, catalog.unknown_item."""
    view = found.view
    managed = {card.group.group_id: card for card in groups(view) if card.i_manage}
    group = given.choice("group", "Group", list(managed))
    asked = given.text("item", "Item", required=True)
    item = catalog.item_by_any(view, asked)
    if item is None:
        raise Refusal(
            "catalog.unknown_item", "The catalogue has no such item.", got=asked, next="Give any number of it."
        )
    currency = given.currency(default=managed[group].terms.currency or "EUR")
    tiers = [
        PriceTier(
            from_each=given.whole(f"from{n}", f"Tier {n}, from", low=1),
            unit_price_minor=given.minor(f"price{n}", f"Tier {n}, price", currency),
        )
        for n in range(1, TIER_FIELDS + 1)
        if n == 1 or given.text(f"from{n}")
    ]
    return OpenRound(
        circle=managed[group].terms.circle,
        group=group,
        round=found.node.wallet.new_id("round")[:16],
        commit_by=given.day_end("until", "Commit by"),
        item=item.item,
        supplier=given.text("supplier", "Supplier", most=200),
        currency=currency,
        tiers=tiers,
        note=given.text("note", "Note", most=2_000),
    )


PAGES: list[Any] = [rounds_page, commit, tell, close, open_round]
