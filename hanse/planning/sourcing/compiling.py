"""One source for the order kernel, two ways to run it: compiled by numba, or as plain Python where importing numba
is too slow."""

from __future__ import annotations

import builtins
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from types import ModuleType, SimpleNamespace
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

PACKAGE = "hanse.planning.sourcing"
PLAIN = ("kernel", "placing", "nextbest")  # modules of compiled loops that also run as they stand

_lock = RLock()


def njit(function: F) -> F:
    """Compile for machine integers without holding the interpreter's lock; the machine code is cached on disk."""
    import numba

    return cast(F, numba.njit(cache=True, nogil=True)(function))


def plain(name: str) -> ModuleType:
    """The module `name` of PLAIN, uncompiled: same source and results, some hundred times slower, no numba imported."""
    known = f"{PACKAGE}.{name}_plain"
    with _lock:
        if known not in sys.modules:
            spec = importlib.util.spec_from_file_location(known, Path(__file__).with_name(f"{name}.py"))
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _import}
            spec.loader.exec_module(module)
            sys.modules[known] = module
        return sys.modules[known]


def _import(name: str, *more: Any, **named: Any) -> Any:
    """What `import` does in a plain module: other plain modules, and a compiler that leaves functions alone."""
    if name == f"{PACKAGE}.compiling":
        return SimpleNamespace(njit=lambda function: function)
    if name in {f"{PACKAGE}.{one}" for one in PLAIN}:
        return plain(name.rpartition(".")[2])
    return builtins.__import__(name, *more, **named)
