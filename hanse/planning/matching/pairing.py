"""Match catalogues: certain matches first, then ranked suggestions that a person accepts."""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hanse.planning.matching import exact, explain, similar
from hanse.planning.matching.items import Group, Item, Match, Method, Network, Ref


@dataclass(frozen=True, slots=True)
class Options:
    """How to match.

    Args:
        aliases: further spellings of brands, spelling -> brand.
        suggestions_max: per item, >= 0; 0 gives certain matches alone.
        score_min: suggestions below are not shown, 0..1.
        candidates: how many are compared in full per item, >= suggestions_max.
    """

    aliases: Mapping[str, str] = field(default_factory=dict)
    suggestions_max: int = 5
    score_min: float = 0.05
    candidates: int = 20


@dataclass(frozen=True, slots=True)
class _Pool:
    """Items of all catalogues in one row: row i has refs[i], items[i], known[i]."""

    refs: list[Ref]
    items: list[Item]
    known: list[exact.Keys]
    read: dict[int, explain.Traits] = field(default_factory=dict)

    def traits(self, i: int) -> explain.Traits:
        found = self.read.get(i)
        if found is None:
            found = self.read[i] = explain.traits(self.items[i])
        return found

    def suggestion(self, i: int, j: int, score: float, mutual: bool, first: str = "") -> Match:
        one, other = self.known[i], self.known[j]
        reasons = explain.suggested(self.traits(i), self.traits(j), one, other)
        if first:
            reasons = (first, *reasons)
        return Match(self.refs[i], self.refs[j], "suggestion", score, reasons, one.each, other.each, mutual)


def match(
    catalogue_a: Sequence[Item],
    catalogue_b: Sequence[Item] | Mapping[str, Sequence[Item]],
    options: Options | None = None,
    owner_a: str = "a",
) -> list[Match]:
    """Match one catalogue with another, or with several (owner -> items).

    Returns: in the order of `catalogue_a`; per item its accepted matches (gtin, then brand_part), then its suggestions,
    best first, at most `suggestions_max`. Suggestions leave out what is accepted, and owners where a match is accepted.
    Invariant: only equal GTIN or equal brand and part number is ever accepted.

    >>> ours = [Item("A1", brand="SKF AB", part_number="6204-2RSH"), Item("A2", description="V-belt SPA1250 Gates")]
    >>> theirs = [Item("77", brand="S.K.F.", part_number="62042RSH"), Item("78", description="Keilriemen SPA1250")]
    >>> [(m.a.number, m.b.number, m.method) for m in match(ours, theirs)]
    [('A1', '77', 'brand_part'), ('A2', '78', 'suggestion')]
    """
    options = options or Options()
    others = catalogue_b if isinstance(catalogue_b, Mapping) else {"b": catalogue_b}
    pool = _pool({owner_a: catalogue_a}, options)
    theirs = _pool(others, options)
    n = len(pool.items)
    pool.refs.extend(theirs.refs)
    pool.items.extend(theirs.items)
    pool.known.extend(theirs.known)
    accepted, doubtful = _accepted(pool, n)
    found = [
        [
            Match(pool.refs[i], pool.refs[j], method, 1.0, explain.accepted(pool.known[i], pool.known[j]),
                  pool.known[i].each, pool.known[j].each)
            for j, method in row
        ]
        for i, row in enumerate(accepted)
    ]  # fmt: skip
    for i, j, why in doubtful:
        found[i].append(pool.suggestion(i, j, 0.5, False, why))
    if options.suggestions_max and n and len(theirs.items):
        _suggest(pool, n, accepted, found, options)
    return [m for row in found for m in row]


def _pool(catalogues: Mapping[str, Sequence[Item]], options: Options) -> _Pool:
    refs = [Ref(owner, item.number) for owner, items in catalogues.items() for item in items]
    items = [item for items in catalogues.values() for item in items]
    return _Pool(refs, items, [exact.keys(item, options.aliases) for item in items])


def _accepted(pool: _Pool, n: int) -> tuple[list[list[tuple[int, Method]]], list[tuple[int, int, str]]]:
    """Certain partners of rows 0..n-1 among the rest -> ([(row, method)] per row, doubtful pairs)."""
    by_gtin: dict[str, list[int]] = {}
    by_part: dict[tuple[str, str], list[int]] = {}
    for j in range(n, len(pool.items)):
        known = pool.known[j]
        if known.gtin:
            by_gtin.setdefault(known.gtin, []).append(j)
        if known.brand and known.part:
            by_part.setdefault((known.brand, known.part), []).append(j)
    accepted: list[list[tuple[int, Method]]] = []
    doubtful: list[tuple[int, int, str]] = []
    for i in range(n):
        known = pool.known[i]
        row: dict[int, Method] = dict.fromkeys(by_gtin.get(known.gtin, ()), "gtin")
        for j in by_part.get((known.brand, known.part), ()):
            if j in row:
                continue
            if exact.gtins_contradict(known, pool.known[j]):
                doubtful.append((i, j, "same brand and part number, but the GTINs differ"))
            else:
                row[j] = "brand_part"
        accepted.append(list(row.items()))
    return accepted, doubtful


def _docs(pool: _Pool, rows: Sequence[int]) -> list[similar.Doc]:
    return [
        similar.Doc(pool.items[i].description, pool.known[i].brand, pool.items[i].part_number, pool.items[i].more)
        for i in rows
    ]


def _suggest(
    pool: _Pool, n: int, accepted: list[list[tuple[int, Method]]], found: list[list[Match]], options: Options
) -> None:
    """Append suggestions to `found` for rows 0..n-1 among the rest."""
    like = similar.build(_docs(pool, range(len(pool.items))))
    corpus = np.zeros(len(pool.items), dtype=np.bool_)
    corpus[n:] = True
    rows = np.arange(n, dtype=np.int32)
    left, right, score = ranked(like, rows, corpus, options)
    best_for_right: dict[int, tuple[float, int]] = {}
    for i, j, s in zip(left.tolist(), right.tolist(), score.tolist(), strict=True):
        if (s, -i) > best_for_right.get(j, (-1.0, 0)):
            best_for_right[j] = (s, -i)
    settled = [{pool.refs[j].owner for j, _ in row} for row in accepted]
    count = [0] * n
    shown = [{m.b for m in row if not m.accepted} for row in found]
    for i, j, s in zip(left.tolist(), right.tolist(), score.tolist(), strict=True):
        if count[i] >= options.suggestions_max or s < options.score_min:
            continue
        if pool.refs[j].owner not in settled[i] and pool.refs[j] not in shown[i]:
            first = count[i] == 0
            count[i] += 1
            found[i].append(pool.suggestion(i, j, round(s, 4), first and -best_for_right[j][1] == i))


def ranked(
    like: similar.Likeness, rows: similar.Ints, corpus: NDArray[np.bool_], options: Options
) -> tuple[similar.Ints, similar.Ints, NDArray[np.float64]]:
    """Score the candidates of each row -> (left[n], right[n], score[n]), rows in order, best first, ties by row."""
    found, _ = similar.candidates(like, rows, corpus, options.candidates)
    left = np.repeat(rows, found.shape[1]).astype(np.int32)
    right = found.ravel()
    kept = right >= 0
    left, right = left[kept], right[kept]
    score = similar.score(similar.features(like, left, right))
    order = np.lexsort((right, -score, left))
    return left[order], right[order], score[order]


def match_many(catalogues: Mapping[str, Sequence[Item]], options: Options | None = None) -> Network:
    """Match the catalogues of many members at once: groups of certain matches, and suggestions between groups.

    A suggestion joins two groups that share no owner (an owner's two numbers are taken as two items). Its `a` and `b`
    are the first items of the groups. Scale: 40 members x 5,000 items in seconds (bench/matching.py).
    """
    options = options or Options()
    running = gc.isenabled()
    gc.disable()  # a million small tuples and no cycle: looking for one took a third of the time
    try:
        return _network(catalogues, options)
    finally:
        if running:
            gc.enable()


def _network(catalogues: Mapping[str, Sequence[Item]], options: Options) -> Network:
    pool = _pool(catalogues, options)
    joined = exact.join(pool.known)
    groups = []
    for rows, how in zip(joined.groups, joined.how, strict=True):
        reasons = tuple({"gtin": "same GTIN", "brand_part": "same brand and part number"}[h] for h in sorted(how))
        doubts = _doubts([pool.known[i] for i in rows]) if len(rows) > 1 else ()
        groups.append(Group(tuple(sorted(pool.refs[i] for i in rows)), reasons, doubts))
    suggestions = [pool.suggestion(i, j, 0.5, False, why) for i, j, why in joined.doubtful]
    if options.suggestions_max and len(groups) > 1:
        suggestions += _between_groups(pool, joined.groups, options)
    return Network(tuple(groups), tuple(suggestions))


def _doubts(known: Sequence[exact.Keys]) -> tuple[str, ...]:
    parts = sorted({f"{k.brand} {k.part}" for k in known if k.brand and k.part})
    doubts = [f"part numbers differ: {', '.join(parts[:4])}"] if len(parts) > 1 else []
    if any(k.each == 0 for k in known):
        doubts.append("a pack size is not known")
    return tuple(doubts)


def _between_groups(pool: _Pool, groups: list[list[int]], options: Options) -> list[Match]:
    # The longest description speaks for its group.
    heads = [max(rows, key=lambda i: (len(pool.items[i].description), -i)) for rows in groups]
    owners = [frozenset(pool.refs[i].owner for i in rows) for rows in groups]
    like = similar.build(_docs(pool, heads))
    rows = np.arange(len(groups), dtype=np.int32)
    left, right, score = ranked(like, rows, np.ones(len(groups), dtype=np.bool_), options)
    count = [0] * len(groups)
    kept: dict[tuple[int, int], list[float]] = {}
    for i, j, s in zip(left.tolist(), right.tolist(), score.tolist(), strict=True):
        if s < options.score_min or count[i] >= options.suggestions_max or not owners[i].isdisjoint(owners[j]):
            continue
        count[i] += 1
        entry = kept.setdefault((min(i, j), max(i, j)), [s, 0])
        entry[1] += count[i] == 1
    order = sorted(kept, key=lambda pair: (-kept[pair][0], pair))
    return [pool.suggestion(heads[i], heads[j], round(kept[i, j][0], 4), kept[i, j][1] == 2) for i, j in order]
