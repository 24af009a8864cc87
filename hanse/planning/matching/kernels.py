"""Compiled loops over sparse rows (CSR): the best partners by cosine, and dot products of given pairs."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]


def _top_rows(
    row_start: Any, row_key: Any, row_weight: Any, key_start: Any, key_row: Any, key_weight: Any,
    rows: Any, count: int, row_total: int,
) -> Any:  # fmt: skip
    best_row = np.full((rows.size, count), -1, dtype=np.int32)
    best_score = np.zeros((rows.size, count), dtype=np.float32)
    total = np.zeros(row_total, dtype=np.float32)
    touched = np.empty(row_total, dtype=np.int32)
    for place in range(rows.size):
        row = rows[place]
        reached = 0
        for at in range(row_start[row], row_start[row + 1]):
            key = row_key[at]
            weight = row_weight[at]
            for post in range(key_start[key], key_start[key + 1]):
                other = key_row[post]
                if total[other] == 0.0:
                    touched[reached] = other
                    reached += 1
                total[other] += weight * key_weight[post]
        filled = 0
        for index in range(reached):
            other = touched[index]
            score = total[other]
            total[other] = 0.0
            if other == row or score <= 0.0:
                continue
            if filled == count and score <= best_score[place, count - 1]:
                continue
            slot = filled if filled < count else count - 1
            while slot > 0 and best_score[place, slot - 1] < score:
                if slot < count:
                    best_score[place, slot] = best_score[place, slot - 1]
                    best_row[place, slot] = best_row[place, slot - 1]
                slot -= 1
            best_score[place, slot] = score
            best_row[place, slot] = other
            if filled < count:
                filled += 1
    return best_row, best_score


def _pair_dots(start: Any, key: Any, weight: Any, left: Any, right: Any) -> Any:
    result = np.zeros(left.size, dtype=np.float32)
    for pair in range(left.size):
        i, i_end = start[left[pair]], start[left[pair] + 1]
        j, j_end = start[right[pair]], start[right[pair] + 1]
        total = 0.0
        while i < i_end and j < j_end:
            if key[i] == key[j]:
                total += weight[i] * weight[j]
                i += 1
                j += 1
            elif key[i] < key[j]:
                i += 1
            else:
                j += 1
        result[pair] = total
    return result


def _kind_counts(start: Any, kind: Any, value: Any, left: Any, right: Any) -> Any:
    result = np.zeros((left.size, 2), dtype=np.float32)
    for pair in range(left.size):
        i, i_end = start[left[pair]], start[left[pair] + 1]
        j, j_end = start[right[pair]], start[right[pair] + 1]
        while i < i_end and j < j_end:
            if kind[i] < kind[j]:
                i += 1
            elif kind[j] < kind[i]:
                j += 1
            else:
                now = kind[i]
                same = False
                while i < i_end and j < j_end and kind[i] == now and kind[j] == now:
                    if value[i] == value[j]:
                        same = True
                        i += 1
                        j += 1
                    elif value[i] < value[j]:
                        i += 1
                    else:
                        j += 1
                while i < i_end and kind[i] == now:
                    i += 1
                while j < j_end and kind[j] == now:
                    j += 1
                result[pair, 0 if same else 1] += 1.0
    return result


top_rows = numba.njit(cache=True, nogil=True)(_top_rows)
top_rows.__doc__ = """The `count` best partners of each of `rows` by dot product, best first, the row itself left out.

Args: a CSR matrix of keys (row_*), the same or a smaller matrix by key (key_*), rows[n], row_total.
Returns: best_row[n, count] (-1 where there are fewer), best_score[n, count]; ties by first reached.
"""
pair_dots = numba.njit(cache=True, nogil=True)(_pair_dots)
pair_dots.__doc__ = "Dot product of rows left[n] and right[n] of one CSR matrix with sorted keys -> [n]."
kind_counts = numba.njit(cache=True, nogil=True)(_kind_counts)
kind_counts.__doc__ = """For pairs of rows of sorted (kind, value): how many kinds agree, how many contradict -> [n, 2].

A kind agrees when both rows have it and share a value, contradicts when both have it and share none.
"""
