"""What an own number may be: suggestions from the catalogue, worked out in the background and kept.

A number's suggestions depend on what the firm says of it and on the catalogue. Matching one number leaves those of the
others as they were; what is new is looked at alone; a changed catalogue begins anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Event, Lock, Thread

from msgspec import Struct

from hanse.kernel.view import View
from hanse.node.journal import journal
from hanse.planning.matching import Item as MatchItem
from hanse.planning.matching import Match, Options, match
from hanse.rooms.catalog.facts import ITEMS, OWN_ITEMS, Item, OwnItem
from hanse.rooms.catalog.rules import part_key

SUGGESTIONS_MAX = 3
SCORE_MIN = 0.2
PATIENCE_SECONDS = 120.0
_KEPT_MAX = 16
_journal = journal("hanse.site")


class Suggested(Struct, frozen=True):
    """One item that an own number may be.

    Attributes:
        score: 0..1. reasons: why, in plain words. method: how it would be linked. certain: the same GTIN, or the same
        brand and part number by the catalogue's own key, and nothing against it.
    """

    item: str
    score: float
    reasons: tuple[str, ...]
    method: str
    certain: bool


class _Known:
    """What is known of one firm's numbers against one state of the catalogue."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[tuple[object, ...], list[Suggested]]] = {}
        self.working: Event | None = None


_kept: OrderedDict[tuple[object, ...], _Known] = OrderedDict()
_lock = Lock()


def suggestions(
    view: View, net: str, *, wait_seconds: float = PATIENCE_SECONDS
) -> Mapping[str, list[Suggested]] | None:
    """Own number -> what it may be, best first, for every own number of the reader's that is not matched.

    Args:
        wait_seconds: how long the caller waits for what is not known yet. The work goes on behind it.
    Returns: None where the work takes longer.
    """
    own = view.rows(OWN_ITEMS, "circle = ? AND item = ''", (view.home,), limit=100_000)
    known = _known((net, view.party, view.count(ITEMS), view.count(ITEMS, of="MAX(position)")))
    with _lock:
        lacking = [o for o in own if known.found.get(o.own_number, ((), []))[0] != _said(o)]
        if lacking and known.working is None:
            items = view.rows(ITEMS, limit=1_000_000)
            known.working = Event()
            Thread(target=_work, args=(known, lacking, items), name="hanse-matching", daemon=True).start()
        working = known.working if lacking else None
    if working is not None and not working.wait(wait_seconds):
        return None
    with _lock:
        return {o.own_number: known.found[o.own_number][1] for o in own if o.own_number in known.found}


def _known(state: tuple[object, ...]) -> _Known:
    with _lock:
        found = _kept.setdefault(state, _Known())
        _kept.move_to_end(state)
        while len(_kept) > _KEPT_MAX:
            _kept.popitem(last=False)
        return found


def _said(own: OwnItem) -> tuple[object, ...]:
    """What a suggestion is made from."""
    return (own.gtin, own.brand, own.part_number, own.description, own.unit, own.pack_each)


def _work(known: _Known, own: Sequence[OwnItem], items: Sequence[Item]) -> None:
    found: dict[str, list[Suggested]] = {}
    try:
        found = _suggest(own, items)
    except Exception:
        _journal.exception("matching.failed", numbers=len(own))
    with _lock:
        known.found.update({o.own_number: (_said(o), found.get(o.own_number, [])) for o in own})
        working, known.working = known.working, None
    if working is not None:
        working.set()


def _suggest(own: Sequence[OwnItem], items: Sequence[Item]) -> dict[str, list[Suggested]]:
    if not own or not items:
        return {}
    ours = [
        MatchItem(o.own_number, o.gtin, o.brand, o.part_number, o.description, unit=o.unit, each_per_unit=o.pack_each)
        for o in own
    ]
    theirs = [
        MatchItem(i.item, i.gtin, i.brand, i.part_number, i.description, i.about, unit=i.base_unit) for i in items
    ]
    mine, known = {o.own_number: o for o in own}, {i.item: i for i in items}
    found: dict[str, list[Suggested]] = {}
    for pair in match(ours, theirs, Options(suggestions_max=SUGGESTIONS_MAX, score_min=SCORE_MIN)):
        found.setdefault(pair.a.number, []).append(_suggested(pair, mine[pair.a.number], known[pair.b.number]))
    for options in found.values():
        options.sort(key=lambda s: (not s.certain, -s.score, s.item))
        if sum(s.certain for s in options) > 1:  # two items at once: a person decides
            options[:] = [Suggested(s.item, s.score, s.reasons, s.method, False) for s in options]
    return found


def _suggested(pair: Match, own: OwnItem, item: Item) -> Suggested:
    key = part_key(own.brand, own.part_number)
    if own.gtin and own.gtin == item.gtin:
        method = "gtin"
    elif key and key == item.part_key:
        method = "brand_part"
    else:
        method = "accepted"
    doubt = any(reason.startswith("check:") for reason in pair.reasons)
    return Suggested(item.item, pair.score, pair.reasons, method, pair.accepted and method != "accepted" and not doubt)
