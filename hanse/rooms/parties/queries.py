"""Questions about who is here, who may read what, and to whom an owner sells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeVar, get_type_hints

from msgspec import Struct
from msgspec.structs import fields

from hanse.kernel.view import View
from hanse.rooms.parties.facts import (
    CHANNELS,
    CIRCLE_NAMES,
    CIRCLES,
    KEYS,
    MEMBERS,
    PARTIES,
    PERMITS,
    SITES,
    STAFF,
    Channel,
    Key,
    Party,
    Permit,
    Site,
    Staff,
)

S = TypeVar("S")


class MemberCard(Struct, frozen=True):
    """One member of a circle. `party`, `name`: who stands behind the alias. `entered`: it has accepted."""

    alias: str
    party: str
    name: str
    entered: bool
    mine: bool


class CircleCard(Struct, frozen=True):
    """A circle of the reader's. `name`: as its parties call it, else its id."""

    circle: str
    purpose: str
    name: str
    members: tuple[MemberCard, ...]


@cache
def _bools(cls: type) -> tuple[int, ...]:
    hints = get_type_hints(cls)
    return tuple(i for i, field in enumerate(fields(cls)) if hints[field.name] is bool)


def read_as(cls: type[S], found: Iterable[Sequence[Any]]) -> list[S]:
    """SQL rows as structs, column for field in order; SQLite's 0 and 1 become bool where the struct says so."""
    flags = _bools(cls)  # type: ignore[arg-type]
    if not flags:
        return [cls(*row) for row in found]
    out = []
    for row in found:
        values = list(row)
        for i in flags:
            values[i] = bool(values[i])
        out.append(cls(*values))
    return out


def parties(view: View, search: str = "", *, after: str = "", limit: int = 100) -> list[Party]:
    """Who is here, by id, after a cursor; `search` within name, city or id (ASCII case ignored)."""
    if not search:
        return view.rows(PARTIES, "party > ?", (after,), limit=limit)
    like = f"%{like_text(search)}%"
    where = "party > ? AND (name LIKE ? ESCAPE '~' OR city LIKE ? ESCAPE '~' OR party LIKE ? ESCAPE '~')"
    return view.rows(PARTIES, where, (after, like, like, like), limit=limit)


def like_text(text: str) -> str:
    """A text for LIKE ... ESCAPE '~'.

    >>> like_text("50%_~")
    '50~%~_~~'
    """
    return text.replace("~", "~~").replace("%", "~%").replace("_", "~_")


def party(view: View, party: str) -> Party | None:
    """A party's public profile."""
    return view.get(PARTIES, party)


def party_name(view: View, party: str) -> str:
    """A party's public name; what is no party (a partner in words) is its own name."""
    found = view.get(PARTIES, party)
    return found.name if found else party


def keys(view: View, owner: str) -> list[Key]:
    """The public keys of a party or alias, retired ones included, in order of their start."""
    return view.rows(KEYS, "owner = ?", (owner,), order="from_at, kid")


def sites(view: View) -> list[Site]:
    """The reader's own sites."""
    return view.rows(SITES, "circle = ?", (view.home,))


def staff(view: View) -> list[Staff]:
    """Who acts for the reader."""
    return view.rows(STAFF, "circle = ?", (view.home,))


def permits(view: View) -> list[Permit]:
    """To whom the reader sells, or not."""
    return view.rows(PERMITS, "circle = ?", (view.home,))


def channels(view: View, brand: str = "") -> list[Channel]:
    """Who is authorised to sell a brand now; without one, all brands."""
    if brand:
        return view.rows(CHANNELS, "brand = ? AND until_at > ?", (brand, view.now))
    return view.rows(CHANNELS, "until_at > ?", (view.now,))


def circles(view: View, purpose: str = "") -> list[CircleCard]:
    """The reader's circles with the parties behind each alias, homes first, then by id; or those of one purpose."""
    found = []
    for circle in view.circles:
        card = circle_card(view, circle)
        if card is not None and purpose in ("", card.purpose):
            found.append(card)
    return sorted(found, key=lambda card: (card.purpose != "home", card.circle))


def circle_card(view: View, circle: str) -> CircleCard | None:
    """One circle of the reader's; None for every other."""
    row = view.get(CIRCLES, circle) if circle in view.circles else None
    if row is None:
        return None
    named = view.get(CIRCLE_NAMES, circle)
    sql = (
        f"SELECT m.alias, m.party, p.name FROM {{{MEMBERS.name}}} m "
        f"LEFT JOIN {{{PARTIES.name}}} p ON p.party = m.party WHERE m.circle = ?"
    )
    behind = {alias: (who, name or who) for alias, who, name in view.sql(sql, (circle,), tables=(MEMBERS, PARTIES))}
    members = tuple(
        MemberCard(
            alias, *behind.get(alias, ("", alias)), alias in row.entered, behind.get(alias, ("",))[0] == view.party
        )
        for alias in row.members
    )
    return CircleCard(circle, row.purpose, named.name if named else circle, members)


def party_behind(view: View, circle: str, alias: str) -> str:
    """The party behind an alias, "" where the reader may not know."""
    found = view.get(MEMBERS, circle, alias)
    return found.party if found else ""


def alias_in(view: View, circle: str, party: str = "") -> str:
    """The alias of a party (else the reader) in one of the reader's circles, "" where there is none."""
    found = view.rows(MEMBERS, "circle = ? AND party = ?", (circle, party or view.party), limit=1)
    return found[0].alias if found else ""


def relationship_with(view: View, partner: str) -> str:
    """The circle of the reader's relationship with a partner, "" where there is none; the first of several."""
    sql = (
        f"SELECT m.circle FROM {{{MEMBERS.name}}} m JOIN {{{CIRCLES.name}}} c ON c.circle = m.circle "
        "WHERE m.party = ? AND c.purpose = 'relationship' ORDER BY m.circle LIMIT 1"
    )
    found = view.sql(sql, (partner,), tables=(MEMBERS, CIRCLES)) if partner != view.party else []
    return str(found[0][0]) if found else ""


def is_authorised(view: View, seller: str, brand: str, country: str = "") -> bool:
    """Whether a party may sell a brand in a country: yes where nobody speaks for the brand, and for who does.

    Args:
        country: ISO 3166-1 alpha-2 of the buyer, "" where it is not known: then any listed country will do.
    """
    listed = channels(view, brand) if brand else []
    if not listed or any(channel.authoriser == seller for channel in listed):
        return True
    mine = [channel for channel in listed if channel.party == seller]
    return any(not channel.countries or not country or country in channel.countries for channel in mine)


def deals_with(view: View, partner: str) -> bool:
    """Whether the reader deals with a partner at all: what its node agrees to for it when the partner opens something.

    Its permits decide, one for this partner before one for all: a yes to anything is a yes, a no to all goods a no, and
    without either, yes.
    """
    found = view.rows(PERMITS, "circle = ? AND partner IN (?, '*')", (view.home, partner))
    for whom in (partner, "*"):
        mine = [permit for permit in found if permit.partner == whom]
        if any(permit.allow and permit.scope != "*" for permit in mine):
            return True
        if said := [permit.allow for permit in mine if permit.scope == "*"]:
            return all(said)
    return True


def may_sell(view: View, partner: str, brand: str = "", category: str = "") -> bool:
    """Whether the reader, as an owner, sells a brand's or category's goods to a partner.

    Its own permits decide: the narrowest that matches, one for this partner before one for all, a brand before a
    category before all goods; of two equal ones the "no"; without any, yes. Then the brand's own channel must allow
    the reader to sell in the partner's country.
    """
    best: tuple[int, int] = (-1, -1)
    allowed = True
    scopes = {"*": 0, f"category:{category}": 1 if category else -1, f"brand:{brand}": 2 if brand else -1}
    for permit in view.rows(PERMITS, "circle = ? AND partner IN (?, '*')", (view.home, partner)):
        width = (int(permit.partner != "*"), scopes.get(permit.scope, -1))
        if width[1] < 0 or width < best:
            continue
        allowed = permit.allow and (allowed or width > best)
        best = width
    if not allowed:
        return False
    profile = view.get(PARTIES, partner)
    return is_authorised(view, view.party, brand, profile.country if profile else "")
