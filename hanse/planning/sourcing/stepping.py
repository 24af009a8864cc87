"""One step of prices: an adaptive subgradient on stock rows (total, foreign) and places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hanse.planning.sourcing.problem import Floats


class Steps:
    """Each price steps by its own history (AdaGrad: Duchi, Hazan and Singer, 2011), along a running mean of the excess.

    price, reach, most: total [stock], foreign [stock], place [place], minor units. A price's first step is its
    `reach`, and it stays within 0..most.
    """

    def __init__(self, reach: Sequence[Floats], most: Sequence[float], price: Sequence[Floats]) -> None:
        self.reach, self.most = list(reach), list(most)
        self.price = [p.copy() for p in price]
        self.square = [np.full(r.size, 1e-9) for r in self.reach]
        self.drift = [np.zeros(r.size) for r in self.reach]

    def move(self, over: Sequence[NDArray[np.generic]]) -> None:
        """One step along `over`: by how much what is taken exceeds what there is, shaped as the prices."""
        for k, excess in enumerate(over):
            g = excess.astype(float)
            g[(self.price[k] <= 0) & (g < 0)] = 0
            self.drift[k] = 0.7 * self.drift[k] + 0.3 * g
            self.square[k] += g * g
            moved = self.price[k] + self.reach[k] * self.drift[k] / np.sqrt(self.square[k])
            self.price[k] = np.clip(moved, 0.0, self.most[k])
