"""How a command answers: text or JSON, exit codes, refusals, progress."""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number
from msgspec import Struct
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from hanse.kernel.refusal import Refused

DONE, WRONG, REFUSED, USAGE, FAULT, INTERRUPTED = 0, 1, 2, 64, 70, 130
MEMBERS = ("code", "message", "got", "expected", "next", "retry")
PROGRESS_AFTER_SECONDS = 1.0

Data = Annotated[Path, Parameter(name=["--data"], env_var="HANSE_DATA", help="The node's data directory.")]
"""The parameter `--data DIR` of a command: `data: Data = HERE`."""
HERE = Path("hanse-data")
LARGEST = 10**12
"""Of a number that a command takes: as many days in seconds still fit where numbers are kept."""
Positive = Annotated[int, Parameter(validator=Number(gte=1, lte=LARGEST))]
NotNegative = Annotated[int, Parameter(validator=Number(gte=0, lte=LARGEST))]
Port = Annotated[int, Parameter(validator=Number(gte=1, lte=65_535))]
Step = Callable[[str, int, int], None]
"""(what, done, all)"""


class Answer(Struct, frozen=True):
    """What a command has to say.

    Attributes:
        document: for `--json`; anything that msgspec encodes. text: for people, where the document alone will not do.
        code: the exit code.
    """

    document: Any
    text: Any = None
    code: int = DONE


class Told:
    """Set while a command runs: whether it answers in JSON."""

    json = False


def run(application: Callable[[], App], argv: list[str]) -> int:
    """Run one command and print what it answers; its exit code."""
    argv, Told.json = _without_json(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(message)s")
    try:
        answer = application()(argv, exit_on_error=False, print_error=False)
        if isinstance(answer, Answer):
            _print(answer)
            return answer.code
        return DONE
    except CycloptsError as error:
        said = _plain(str(error))
        return _wrong(USAGE, "usage", said, f"usage: {said}\nSee `{_help_of(error)}`.")
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return DONE
    except Exception as error:
        if all(hasattr(error, member) for member in MEMBERS):
            return _refuse(error)
        if isinstance(error, OSError) and error.filename is not None:
            return _refuse(_of_file(error))
        traceback.print_exc()
        text = f"fault: {type(error).__name__}: {error}"
        return _wrong(FAULT, "fault", f"{type(error).__name__}: {error}", text)


def _plain(said: str) -> str:
    """What the parser says, without words of programmers.

    >>> _plain('Invalid value for --port: unable to convert "abc" into int.')
    'Invalid value for --port: "abc" is not a whole number.'
    """
    for kind, words in (("int", "a whole number"), ("float", "a number"), ("bool", "yes or no")):
        said = re.sub(rf'unable to convert ("[^"]*") into {kind}\b', rf"\1 is not {words}", said)
    return said


def _help_of(error: CycloptsError) -> str:
    """The command that explains what was misspelt: of the command that was found, else of all."""
    return " ".join(["hanse", *(error.command_chain or ()), "--help"])


def _without_json(argv: Sequence[str]) -> tuple[list[str], bool]:
    """Arguments without `--json`, and whether it was among them; what stands behind `--` is left alone."""
    stop = argv.index("--") if "--" in argv else len(argv)
    own = [word for word in argv[:stop] if word != "--json"]
    return [*own, *argv[stop:]], len(own) < stop


def _print(answer: Answer) -> None:
    if Told.json:
        sys.stdout.write(msgspec.json.encode(answer.document).decode() + "\n")
    elif answer.text is None:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(answer.document)).decode() + "\n")
    elif isinstance(answer.text, str):
        sys.stdout.write(answer.text + "\n")
    else:
        Console(width=None if sys.stdout.isatty() else 160, highlight=False).print(answer.text)


def _of_file(error: OSError) -> Refused:
    """What the system said about a file or directory that was named, as a refusal."""
    said = error.strerror or type(error).__name__
    return Refused("file.failed", said[:1].lower() + said[1:], got=error.filename, next="look at the path")


def _refuse(error: Any) -> int:
    said = {member: getattr(error, member) for member in MEMBERS}
    lines = [f"refused: {said['code']}", f"  {said['message']}"]
    lines += [f"  {name:<9}{said[name]}" for name in ("got", "expected", "next") if said[name] not in ("", None)]
    return _wrong(REFUSED, "refused", {k: v for k, v in said.items() if v not in ("", None, False)}, "\n".join(lines))


def _wrong(code: int, kind: str, document: Any, text: str) -> int:
    if Told.json:
        sys.stdout.write(msgspec.json.encode({kind: document}, enc_hook=str).decode() + "\n")
    else:
        sys.stderr.write(text + "\n")
    return code


def table(*heads: str, rows: Iterable[Sequence[object]]) -> Table:
    """A plain table for people; numbers to the right."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    kept = [tuple(row) for row in rows]
    for at, head in enumerate(heads):
        numbers = bool(kept) and all(isinstance(row[at], int) and not isinstance(row[at], bool) for row in kept)
        made.add_column(head, justify="right" if numbers else "left", overflow="fold")
    for row in kept:
        made.add_row(*("yes" if cell is True else "no" if cell is False else _cell(str(cell)) for cell in row))
    return made


def _cell(said: str) -> str:
    """What somebody wrote, as it is: no markup of ours, no commands to the terminal.

    >>> _cell("[bold]7\x1b[2J")
    '\\\\[bold]7[2J'
    """
    return escape("".join(sign for sign in said if sign in "\n\t" or sign.isprintable()))


@contextmanager
def progress() -> Iterator[Step]:
    """`step(what, done, all)` draws bars on stderr, where that is a terminal, of what takes more than a second."""
    if not sys.stderr.isatty():
        yield lambda what, done, all: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Progress(*columns, console=Console(stderr=True), transient=True)
    tasks: dict[str, TaskID] = {}
    begun = time.monotonic()

    def step(what: str, done: int, all: int) -> None:
        if time.monotonic() - begun < PROGRESS_AFTER_SECONDS:
            return
        if not bars.live.is_started:
            bars.start()
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=all)
        bars.update(tasks[what], completed=done, total=all)

    try:
        yield step
    finally:
        bars.stop()
