"""Matching items of different firms: precision and recall beside simple peers, and the time it takes.

`python -m bench.matching` measures on Amazon-GoogleProducts (1,354 x 3,039 titles, 1,103 true pairs; a research
benchmark, read from ../shared/data), on the demo's own goods as its distributors rename them, and on maintenance items
that are made here and renamed per member.
`--fit` fits the weights of `hanse.planning.matching.similar` on half of each and prints them; the figures printed
without it are measured on the other half and on other seeds.
"""

import argparse
import csv
import gzip
import json
import platform
import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bench.matching_demo import measure_demo
from bench.matching_items import Member, members, true_pairs
from hanse.planning.matching import Item, Options, match, match_many, similar
from hanse.planning.matching.pairing import ranked

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "product_matching" / "amazon_google"


def load_amazon_google() -> tuple[list[Item], list[Item], dict[str, str]]:
    """Read both catalogues and the true pairs (left number -> right number)."""

    def rows(name: str) -> list[dict[str, str]]:
        with gzip.open(DATA / name, "rt", encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))

    def items(name: str) -> list[Item]:
        return [
            Item(r["id"], brand=r["manufacturer"], description=r["title"], more=r["description"]) for r in rows(name)
        ]

    truth = {r["left_id"]: r["right_id"] for r in rows("matches.csv.gz")}
    return items("amazon.csv.gz"), items("google.csv.gz"), truth


Ranked = list[tuple[str, str, float, bool]]  # left, right, score, best of both; per left best first


def ours(a: Sequence[Item], b: Sequence[Item], score_min: float = 0.0) -> Ranked:
    """Suggestions of `match`."""
    found = match(a, b, Options(score_min=score_min))
    return [(m.a.number, m.b.number, m.score, m.mutual) for m in found if not m.accepted]


def peer_tfidf(a: Sequence[Item], b: Sequence[Item]) -> Ranked:
    """Plain TF-IDF cosine over the words of the description, every pair."""
    like = similar.build([similar.Doc(i.description) for i in [*a, *b]])
    dense = (like.words[: len(a)] @ like.words[len(a) :].T).toarray()
    best_left = dense.argmax(axis=0)
    top = np.argsort(-dense, axis=1, kind="stable")[:, :5]
    return [
        (a[i].number, b[j].number, float(dense[i, j]), place == 0 and best_left[j] == i)
        for i in range(len(a))
        for place, j in enumerate(top[i])
        if dense[i, j] > 0
    ]


def peer_exact(a: Sequence[Item], b: Sequence[Item]) -> Ranked:
    """The same description, but for case and spaces."""
    index = {" ".join(i.description.lower().split()): i.number for i in b}
    keys = [(i.number, " ".join(i.description.lower().split())) for i in a]
    return [(number, index[key], 1.0, True) for number, key in keys if key in index]


def f1_by_cross_validation(found: Ranked, truth: dict[str, str], mutual: bool) -> dict[str, float]:
    """Choose the threshold with the best F1 on one half of the left items, measure on the other, both ways round."""
    tops = _tops(found, mutual)
    lefts = sorted(set(truth) | {t[0] for t in tops})
    random.Random(7).shuffle(lefts)
    halves = [set(lefts[::2]), set(lefts[1::2])]
    hit = shown = 0
    for chosen, held in (halves, halves[::-1]):
        threshold = _best_threshold(
            [t for t in tops if t[0] in chosen], {k: v for k, v in truth.items() if k in chosen}
        )
        kept = [t for t in tops if t[0] in held and t[2] >= threshold]
        shown += len(kept)
        hit += sum(truth.get(t[0]) == t[1] for t in kept)
    precision, recall = hit / max(shown, 1), hit / len(truth)
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / max(precision + recall, 1e-9)}


def _tops(found: Ranked, mutual: bool) -> Ranked:
    first: dict[str, tuple[str, str, float, bool]] = {}
    for entry in found:
        first.setdefault(entry[0], entry)
    return [t for t in first.values() if t[3] or not mutual]


def _best_threshold(tops: Ranked, truth: dict[str, str]) -> float:
    best, at, hit = 0.0, 2.0, 0
    for shown, top in enumerate(sorted(tops, key=lambda t: -t[2]), 1):
        hit += truth.get(top[0]) == top[1]
        if 2 * hit / (shown + len(truth)) > best:
            best, at = 2 * hit / (shown + len(truth)), top[2]
    return at


def recall_at(found: Ranked, truth: dict[str, str], k: int) -> float:
    """Share of true pairs that stand among the first k suggestions of their left item."""
    seen: dict[str, list[str]] = {}
    for left, right, _, _ in found:
        seen.setdefault(left, []).append(right)
    return sum(right in seen.get(left, [])[:k] for left, right in truth.items()) / len(truth)


def curve(found: Ranked, truth: dict[str, str]) -> list[dict[str, float]]:
    """Precision at recalls 0.1, 0.2, ... of the top suggestion (0 where never reached)."""
    hit, points, due = 0, [], [step / 10 for step in range(1, 10)]
    for shown, top in enumerate(sorted(_tops(found, False), key=lambda t: -t[2]), 1):
        hit += truth.get(top[0]) == top[1]
        while due and hit / len(truth) >= due[0]:
            points.append({"recall": due.pop(0), "precision": round(hit / shown, 3)})
    return points


def measure_amazon_google() -> dict[str, object]:
    """All figures on Amazon-GoogleProducts, ours and the peers'."""
    a, b, truth = load_amazon_google()
    out: dict[str, object] = {}
    for name, method in (("hanse", ours), ("plain TF-IDF", peer_tfidf), ("same title", peer_exact)):
        start = time.perf_counter()
        found = method(a, b)
        seconds = time.perf_counter() - start
        out[name] = {
            "seconds": round(seconds, 2),
            "recall@1": round(recall_at(found, truth, 1), 3),
            "recall@5": round(recall_at(found, truth, 5), 3),
            "top1": {k: round(v, 3) for k, v in f1_by_cross_validation(found, truth, False).items()},
            "best_of_both": {k: round(v, 3) for k, v in f1_by_cross_validation(found, truth, True).items()},
            "curve": curve(found, truth),
        }
    return out


def measure_pair(seed: int, count: int = 5000) -> dict[str, object]:
    """Two members of renamed maintenance items: accepted matches, and suggestions for the rest."""
    one, other = members(seed, 2, count)
    truth = true_pairs(one, other)
    start = time.perf_counter()
    found = match(one.items, other.items)
    seconds = time.perf_counter() - start
    accepted = [m for m in found if m.accepted]
    right = {m.a.number for m in accepted if truth.get(m.a.number) == m.b.number}
    wrong = sum(truth.get(m.a.number) != m.b.number for m in accepted)
    open_truth = {k: v for k, v in truth.items() if k not in right}
    rest: Ranked = [(m.a.number, m.b.number, m.score, m.mutual) for m in found if not m.accepted]
    plain = [t for t in peer_tfidf(one.items, other.items) if t[0] not in right]
    return {
        "items": count, "true_pairs": len(truth), "seconds": round(seconds, 2),
        "accepted_precision": round(1 - wrong / max(len(accepted), 1), 5),
        "accepted_recall": round(len(right) / len(truth), 3),
        "exact_keys_as_written_recall": round(_as_written(one, other, truth), 3),
        "suggested": _suggested(rest, open_truth),
        "plain_tfidf_suggested": _suggested(plain, open_truth),
    }  # fmt: skip


def _suggested(found: Ranked, truth: dict[str, str]) -> dict[str, float]:
    best = f1_by_cross_validation(found, truth, True)
    return {
        "recall@1": round(recall_at(found, truth, 1), 3),
        "recall@5": round(recall_at(found, truth, 5), 3),
        "f1_best_of_both": round(best["f1"], 3),
        "precision": round(best["precision"], 3),
    }


def _as_written(one: Member, other: Member, truth: dict[str, str]) -> float:
    """The simple peer of certain matches: GTIN as text, or brand and part number as text, equal."""
    numbers = {i.gtin: i.number for i in other.items if i.gtin}
    parts = {(i.brand, i.part_number): i.number for i in other.items if i.brand and i.part_number}
    hits = (numbers.get(i.gtin) or parts.get((i.brand, i.part_number)) for i in one.items)
    return sum(truth.get(i.number) == hit for i, hit in zip(one.items, hits, strict=True) if hit) / len(truth)


def measure_network(seed: int, firms: int, count: int) -> dict[str, object]:
    """Many members at once: time, and groups beside the truth (pairs of items in one group)."""
    crowd = members(seed, firms, count)
    thing = {(m.owner, n): t for m in crowd for n, t in m.thing.items()}
    start, cpu_start = time.perf_counter(), time.process_time()
    network = match_many({m.owner: m.items for m in crowd})
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    sizes: dict[int, int] = {}
    for t in thing.values():
        sizes[t] = sizes.get(t, 0) + 1
    true = sum(n * (n - 1) // 2 for n in sizes.values())
    together = right = 0
    for group in network.groups:
        inside: dict[int, int] = {}
        for ref in group.refs:
            inside[thing[ref]] = inside.get(thing[ref], 0) + 1
        together += len(group.refs) * (len(group.refs) - 1) // 2
        right += sum(n * (n - 1) // 2 for n in inside.values())
    good = [thing[m.a] == thing[m.b] for m in network.suggestions if m.mutual]
    return {
        "members": firms, "items": len(thing), "seconds": round(seconds, 1), "cpu_seconds": round(cpu_seconds, 1),
        "groups": len(network.groups),
        "pair_precision": round(right / max(together, 1), 5), "pair_recall": round(right / true, 3),
        "suggestions": len(network.suggestions), "best_of_both": len(good),
        "best_of_both_right": round(sum(good) / max(len(good), 1), 3),
    }  # fmt: skip


def fit() -> None:
    """Fit the weights on half of the left items of each data set and print them; no evidence counts the wrong way."""
    blocks = []
    a, b, truth = load_amazon_google()
    blocks.append(_training(a, b, truth, 1.0))
    for seed in (101, 102):
        one, other = members(seed, 2, 2000)
        blocks.append(_training(one.items, other.items, true_pairs(one, other), 0.5))
    x = np.vstack([block[0] for block in blocks])
    y = np.concatenate([block[1] for block in blocks])
    share = np.concatenate([np.full(len(block[1]), block[2] / len(block[1])) for block in blocks])

    def loss(w: NDArray[np.float64]) -> float:
        return float((share * np.logaddexp(0, -(2 * y - 1) * (x @ w[:-1] + w[-1]))).sum() + 1e-4 * (w[:-1] ** 2).sum())

    against = {"brand_differs", "numbers_contradict", "contradict"}
    bounds = [(None, 0) if name in against else (0, None) for name in similar.FEATURES] + [(None, None)]
    w = minimize(loss, np.append(similar.WEIGHTS, similar.BIAS), method="L-BFGS-B", bounds=bounds).x
    print(dict(zip(similar.FEATURES, np.round(w[:-1], 2).tolist(), strict=True)), "bias", round(float(w[-1]), 2))


def _training(
    a: Sequence[Item], b: Sequence[Item], truth: dict[str, str], weight: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    from hanse.planning.matching.pairing import _docs, _pool

    pool = _pool({"a": a, "b": b}, Options())
    like = similar.build(_docs(pool, range(len(pool.items))))
    corpus = np.arange(len(pool.items)) >= len(a)
    rows = np.arange(0, len(a), 2, dtype=np.int32)
    left, right, _ = ranked(like, rows, corpus, Options())
    y = [truth.get(pool.refs[i].number) == pool.refs[j].number for i, j in zip(left, right, strict=True)]
    return similar.features(like, left, right), np.array(y, dtype=np.float64), weight


def main() -> None:
    """Measure and print as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--members", type=int, default=40)
    parser.add_argument("--items", type=int, default=5000)
    args = parser.parse_args()
    if args.fit:
        fit()
        return
    match([Item("1", description="warm up 24 V")], [Item("2", description="warm up 24 V")])
    result = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "amazon_google": measure_amazon_google() if DATA.exists() else "skipped: data not found",
        "demo": measure_demo(21),
        "renamed_pair": measure_pair(11),
        "network": measure_network(12, args.members, args.items),
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
