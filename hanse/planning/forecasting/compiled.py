"""One typed door to the compiler, so that the numerics below stay checkable Python."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.uint16]  # without a sign, an index needs no check for counting from the end


def compiled(function: F) -> F:
    """Compile once, keep the machine code beside the source, release the interpreter lock while running."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))
