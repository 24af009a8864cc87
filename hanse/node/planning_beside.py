"""Planning in a process of its own: the node goes on serving, and memory goes back.

Whoever waits for it is told a plan or a refusal: a process that dies, was stopped, hangs or does not come to an end is
killed (`hanse.node.pipes`), and the next question gets a fresh one.

Frames are pickled: both ends are this package, the answer's maker is our own child.
"""

from __future__ import annotations

import importlib
import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from hanse.kernel.refusal import Refused
from hanse.node.pipes import Beside, read_frame, write_frame

MODULE = "hanse.node.planning_beside"
STOP = b"stop"
Told = Callable[[Any], None]
Stopped = Callable[[], bool]
Work = Callable[[Any, Told, Stopped], Any]
"""(what is given, tells how far it is, whether to come to an end now) -> the answer."""


def _quiet(stage: object) -> None:
    return None


def _never() -> bool:
    return False


def worked_out(work: Work, given: object, *, seconds: float, told: Told = _quiet, cancel: Stopped = _never) -> Any:
    """What a function answers, computed beside the node.

    Args:
        work: a module's function. seconds: how long it may take to a sign of life, which is what it tells, or its
        answer. cancel: asked twice a second; the work then comes to its end, with the best so far.
    Raises: ValueError as `work`; RuntimeError for its other faults.
    Refuses: plans.planner_ended.
    """
    beside = Beside(MODULE, work.__module__, work.__qualname__, silent_seconds=seconds, computes=True)
    asked = False

    def ask() -> None:
        nonlocal asked
        if not asked and cancel():
            asked = True
            beside.send(STOP)

    try:
        beside.send(pickle.dumps(given, pickle.HIGHEST_PROTOCOL))
        while True:
            ask()
            last, said = pickle.loads(beside.receive(ask))
            if last:
                break
            told(said)
    except OSError as error:
        raise Refused(
            "plans.planner_ended", "the calculation ended without a result", got=str(error),
            next="start it again; if it ends again, plan fewer lines or search for a shorter time",
            retry=True,
        ) from error  # fmt: skip
    finally:
        beside.close()
    if isinstance(said, Exception):
        raise said
    return said


# -- the process ---------------------------------------------------------------------------------------------------


def serve(work: Work, frames: IO[bytes], out: IO[bytes]) -> None:
    """One question in, stages and an answer out; told to stop by a frame, ended by the end of frames."""
    given = read_frame(frames)
    if given is None:
        return
    stop, writing = threading.Event(), threading.Lock()

    def listen() -> None:
        while read_frame(frames) is not None:
            stop.set()
        os._exit(0)  # nobody waits for an answer any more

    def tell(stage: object) -> None:
        with writing:
            write_frame(out, pickle.dumps((False, stage), pickle.HIGHEST_PROTOCOL))

    threading.Thread(target=listen, name="stops", daemon=True).start()
    said: object
    try:
        said = work(pickle.loads(given), tell, stop.is_set)
    except ValueError as error:
        said = error
    except Exception as error:
        traceback.print_exc()
        said = RuntimeError(f"{type(error).__name__}: {error}")
    with writing:
        write_frame(out, pickle.dumps((True, said), pickle.HIGHEST_PROTOCOL))


def main() -> None:
    """`python -m hanse.node.planning_beside MODULE FUNCTION`."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a solver prints is no frame
    module, function = sys.argv[1:]
    with suppress(BrokenPipeError):
        serve(getattr(importlib.import_module(module), function), sys.stdin.buffer, out)
    os._exit(0)  # a thread still reads: the interpreter would not wait for it in peace


if __name__ == "__main__":
    main()
