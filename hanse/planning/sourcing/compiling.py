"""One source for the order kernel, two ways to run it: compiled by numba, or as plain Python where importing numba
is too slow."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

_lock = Lock()
_plain = False


def njit(function: F) -> F:
    """Compile for machine integers without holding the interpreter's lock; the machine code is cached on disk."""
    if _plain:
        return function
    import numba

    return cast(F, numba.njit(cache=True, nogil=True)(function))


def plain(name: str) -> ModuleType:
    """The module `name` of this package (kernel, nextbest), uncompiled: same source, same results, some hundred times
    slower, no numba imported."""
    global _plain  # noqa: PLW0603
    known = f"hanse.planning.sourcing.{name}_plain"
    with _lock:
        if known not in sys.modules:
            spec = importlib.util.spec_from_file_location(known, Path(__file__).with_name(f"{name}.py"))
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            _plain = True
            try:
                sys.modules[known] = module
                spec.loader.exec_module(module)
            finally:
                _plain = False
        return sys.modules[known]
