"""Likeness of items by words, letters, codes and technical values: TF-IDF, blocking by rare keys, one score.

Source: TF-IDF weights and cosine as Salton and Buckley (1988), "Term-weighting approaches in automatic text
retrieval", formulas tf = 1 + ln(count), idf = ln((1 + n) / (1 + df)) + 1; the score is a logistic function of the
features (Fellegi and Sunter (1969) weigh agreements and disagreements the same way).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hanse.planning.matching import kernels, text

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

# Cosines of letters, words, codes, values, letters with the long text; share of the shorter text's words that the other
# has; 0/1: brands equal, brands differ, part numbers equal, bare numbers contradict; counts: kinds agree, contradict.
FEATURES = (
    "letters", "words", "codes", "values", "more", "covered",
    "brand", "brand_differs", "part", "numbers_contradict", "agree", "contradict",
)  # fmt: skip
# Fitted by `python -m bench.matching --fit` on half of each data set named there.
WEIGHTS = np.array([4.33, 2.86, 0.53, 0.32, 2.52, 1.41, 0.0, -0.76, 3.30, -0.75, 0.0, -2.80], dtype=np.float64)
BIAS = -8.24
BLOCK_ROWS_MAX = 400  # a key that more rows share does not open a block


@dataclass(frozen=True, slots=True)
class Doc:
    """What is compared of one item: its texts, and the brand as `text.brand_key` leaves it ("" when unknown)."""

    title: str
    brand: str = ""
    part: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Features of many documents, row i for document i; every matrix CSR with sorted keys and rows of length 1."""

    letters: sparse.csr_matrix
    words: sparse.csr_matrix
    codes: sparse.csr_matrix
    values: sparse.csr_matrix
    more: sparse.csr_matrix
    present: sparse.csr_matrix  # root of each word's idf; a row's dot with itself is its `weight`
    weight: Floats
    bare: sparse.csr_matrix
    kind_start: Ints
    kind: Ints
    kind_value: Ints
    brand: Ints
    part: Ints


def _counts(rows: Iterable[Sequence[str]]) -> tuple[sparse.csr_matrix, list[str]]:
    """Count the keys of each row -> (CSR[row, key], keys in order of first sight)."""
    index: dict[str, int] = {}
    indptr, indices = [0], []
    for row in rows:
        indices.extend([index.setdefault(key, len(index)) for key in row])
        indptr.append(len(indices))
    shape = (len(indptr) - 1, max(1, len(index)))
    data = np.ones(len(indices), dtype=np.float32)
    matrix = sparse.csr_matrix((data, np.array(indices, dtype=np.int32), np.array(indptr)), shape=shape)
    matrix.sum_duplicates()  # also sorts the keys of each row
    return matrix, list(index)


def _weighted(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Apply TF-IDF and bring rows to length 1."""
    n = counts.shape[0]
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log((1 + n) / (1 + df)) + 1
    data = (1 + np.log(np.maximum(counts.data, 1))) * idf[counts.indices]
    out = sparse.csr_matrix((data.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)
    return _unit_rows(out)


def _present(counts: sparse.csr_matrix) -> tuple[sparse.csr_matrix, Floats]:
    """Give every word that a row has the root of its idf -> (CSR[row, key], sum of idf[row])."""
    n = counts.shape[0]
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log((1 + n) / (1 + df)) + 1
    root = np.sqrt(idf[counts.indices]).astype(np.float32)
    out = sparse.csr_matrix((root, counts.indices, counts.indptr), shape=counts.shape)
    out.sort_indices()
    squares = out.copy()
    squares.data = squares.data**2
    return out, np.asarray(squares.sum(axis=1), dtype=np.float32).ravel()


def _unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    square = np.add.reduceat(np.append(matrix.data**2, 0), matrix.indptr[:-1]) if matrix.shape[0] else np.zeros(0)
    empty = np.diff(matrix.indptr) == 0
    length = np.where(empty | (square == 0), 1, np.sqrt(square))
    data = (matrix.data / np.repeat(length, np.diff(matrix.indptr))).astype(np.float32)
    out = sparse.csr_matrix((data, matrix.indices, matrix.indptr), shape=matrix.shape)
    out.sort_indices()
    return out


def _grams(word: str) -> list[str]:
    padded = f" {word} "
    return [padded[i : i + 3] for i in range(len(padded) - 2)]


def _letters(counts: sparse.csr_matrix, vocabulary: list[str]) -> sparse.csr_matrix:
    """Three-letter pieces of a row, through the pieces of each word (a product of two sparse matrices)."""
    pieces, _ = _counts(_grams(word) for word in vocabulary)
    if not vocabulary:
        return counts
    return (counts @ pieces).tocsr()


def _numbered(keys: Iterable[str]) -> Ints:
    index: dict[str, int] = {"": -1}
    return np.array([index.setdefault(key, len(index)) for key in keys], dtype=np.int32)


def build(docs: Sequence[Doc]) -> Likeness:
    """Compute the features of all documents that shall be compared with each other."""
    worded = [text.words(f"{d.brand} {d.part} {d.title}") for d in docs]
    counts, vocabulary = _counts(worded)
    codes, _ = _counts([*text.codes(d.title), *([text.part_key(d.part)] if d.part else [])] for d in docs)
    valued = [text.attributes(f"{d.title} {d.more}") for d in docs]
    values, value_names = _counts([f"{kind}={value}" for kind, value in row] for row in valued)
    kinds = {name: number for number, name in enumerate(sorted({kind for row in valued for kind, _ in row}))}
    named = {name: number for number, name in enumerate(value_names)}
    strict = [[(kinds[k], named[f"{k}={v}"]) for k, v in row if k != "n"] for row in valued]
    flat = [pair for row in strict for pair in sorted(row)]
    present, weight = _present(counts)
    more = _letters(*_counts([*row, *text.words(d.more)] for row, d in zip(worded, docs, strict=True)))
    return Likeness(
        letters=_weighted(_letters(counts, vocabulary)),
        words=_weighted(counts),
        codes=_weighted(codes),
        values=_weighted(values),
        more=_weighted(more),
        present=present,
        weight=weight,
        bare=_counts([value for kind, value in row if kind == "n"] for row in valued)[0],
        kind_start=np.cumsum([0, *map(len, strict)]).astype(np.int32),
        kind=np.array([k for k, _ in flat], dtype=np.int32),
        kind_value=np.array([v for _, v in flat], dtype=np.int32),
        brand=_numbered(d.brand for d in docs),
        part=_numbered(text.part_key(d.part) for d in docs),
    )


def candidates(like: Likeness, rows: Ints, corpus: NDArray[np.bool_], count: int) -> tuple[Ints, Floats]:
    """Return for each of `rows` its `count` most alike documents of `corpus` -> (row[n, count], cosine[n, count]).

    Blocking: a key shared by more than BLOCK_ROWS_MAX documents (or one in fifty, if more) opens no block.
    """
    joined = sparse.hstack([like.letters, like.words, 0.7 * like.codes, 0.5 * like.values], format="csr")
    joined = _unit_rows(joined.astype(np.float32))
    cap = max(BLOCK_ROWS_MAX, joined.shape[0] // 50) if joined.shape[0] < 20_000 else BLOCK_ROWS_MAX
    df = np.bincount(joined.indices, minlength=joined.shape[1])
    rare = joined.copy()
    rare.data[df[rare.indices] > cap] = 0
    rare.eliminate_zeros()
    within = sparse.diags(corpus.astype(np.float32)) @ rare
    within.eliminate_zeros()
    by_key = within.tocsc()
    found, score = kernels.top_rows(
        rare.indptr, rare.indices, rare.data, by_key.indptr, by_key.indices, by_key.data,
        rows.astype(np.int32), count, joined.shape[0],
    )  # fmt: skip
    return found, score


def features(like: Likeness, left: Ints, right: Ints) -> NDArray[np.float64]:
    """Return the features of pairs of documents -> [pair, len(FEATURES)]."""

    def dots(matrix: sparse.csr_matrix) -> Floats:
        result: Floats = kernels.pair_dots(matrix.indptr, matrix.indices, matrix.data, left, right)
        return result

    kinds = kernels.kind_counts(like.kind_start, like.kind, like.kind_value, left, right)
    brand_a, brand_b = like.brand[left], like.brand[right]
    both = (brand_a >= 0) & (brand_b >= 0)
    shorter = np.minimum(like.weight[left], like.weight[right])
    numbered = np.diff(like.bare.indptr) > 0
    columns = [
        dots(like.letters), dots(like.words), dots(like.codes), dots(like.values), dots(like.more),
        dots(like.present) / np.maximum(shorter, 1e-6), both & (brand_a == brand_b), both & (brand_a != brand_b),
        (like.part[left] >= 0) & (like.part[left] == like.part[right]),
        numbered[left] & numbered[right] & (dots(like.bare) == 0), kinds[:, 0], kinds[:, 1],
    ]  # fmt: skip
    return np.column_stack(columns).astype(np.float64)


def score(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the likeness of pairs, 0..1, from their features [pair, len(FEATURES)]."""
    result: NDArray[np.float64] = 1 / (1 + np.exp(-(columns @ WEIGHTS + BIAS)))
    return result
