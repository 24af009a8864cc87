"""A watched folder: what is put into it is imported, and leaves it.

    FOLDER/imported/     files of which every row was taken
    FOLDER/rejected/     files of which a row was not; beside each its fix list, or the reason why none could be read

A file is taken once its size has not changed between two looks. Correct the fix list and put it into the folder.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from hanse.importers.facts import Imported, imported, save_fixes
from hanse.importers.facts_choose import choose_mapping, is_table, named_mapping, sheets_of
from hanse.importers.facts_plan import Options
from hanse.importers.refusal import ImportRefused
from hanse.importers.tables import safe_name
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk

IMPORTED, REJECTED = "imported", "rejected"
LOOK_SECONDS = 2.0


class Handled(msgspec.Struct, frozen=True):
    """What became of one file. to: where it lies now. refused: the code, where the file as a whole was refused."""

    file: str
    to: str
    fixes: list[str]
    refused: str = ""
    result: Imported | None = None

    @property
    def said(self) -> str:
        """What became of it, in one line."""
        facts = self.result.facts_n if self.result else 0
        return f"{self.file}: {self.refused or f'{facts} facts, {len(self.fixes)} fix lists'}; now at {self.to}"


def handle(desk: Desk, folder: Path, path: Path, mapping: str = "", options: Options | None = None) -> Handled:
    """Import one file of a watched folder and move it out. Nothing is ever overwritten."""
    stem = safe_name(path.name)
    try:
        sheets = sheets_of([path])
        directory, party = desk.node.directory, desk.who.party
        used = (
            named_mapping(mapping, directory, party) if mapping else choose_mapping(sheets, directory, party=party)[0]
        )
        found = imported(desk, sheets, used, options)
    except (ImportRefused, Refused) as refused:
        to = _move(path, folder / REJECTED)
        reason = to.with_name(f"{to.name}.reason.txt")
        reason.write_text(f"{refused}\n{refused.got}\n", "utf-8")
        return Handled(path.name, str(to), [str(reason)], refused.code)
    to = _move(path, folder / (REJECTED if found.bad else IMPORTED))
    fixes = save_fixes(found, to.parent, stem)
    return Handled(path.name, str(to), [str(one) for one in fixes], "", found)


def _move(path: Path, folder: Path) -> Path:
    """Move a file into a folder, under a name that is free and harmless."""
    folder.mkdir(exist_ok=True)
    ends = "".join(path.suffixes[-2:]) if path.name.lower().endswith(".gz") else path.suffix
    to, again = folder / f"{safe_name(path.name)}{ends}", 1
    while to.exists() or to.is_symlink():
        again += 1
        to = folder / f"{safe_name(path.name)}-{again}{ends}"
    path.rename(to)
    return to


def waiting(folder: Path) -> list[Path]:
    """The tables that lie in a folder, in order of name."""
    return sorted(path for path in folder.iterdir() if is_table(path))


def watch(
    desk: Desk,
    folder: Path,
    mapping: str = "",
    options: Options | None = None,
    *,
    stop: Callable[[], bool] = lambda: False,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Handled]:
    """Import what comes into a folder until `stop`. Refuses: import.no_folder."""
    if not folder.is_dir():
        raise Refused("import.no_folder", "there is no such folder", got=folder, next="make it first")
    sizes: dict[Path, tuple[int, int]] = {}
    while True:
        now: dict[Path, tuple[int, int]] = {}
        for path in waiting(folder):
            seen = path.stat()
            now[path] = (seen.st_size, seen.st_mtime_ns)
            if sizes.get(path) == now[path]:
                del now[path]
                yield handle(desk, folder, path, mapping, options)
        sizes = now
        if stop():
            return
        wait(LOOK_SECONDS)


class Watching:
    """A thread that imports what comes into a folder, beside a node that serves: there is one writer of a directory.

    Args:
        told: what became of each file. on_fault: told what kept a look from ending; the next look comes all the same.
    Refuses: import.no_folder.
    """

    def __init__(
        self,
        desk: Desk,
        folder: Path,
        told: Callable[[Handled], object] = lambda handled: None,
        on_fault: Callable[[BaseException], object] = lambda error: None,
        *,
        wait_seconds: float = LOOK_SECONDS,
    ) -> None:
        if not folder.is_dir():
            raise Refused("import.no_folder", "there is no such folder", got=folder, next="make it first")
        self._desk, self._folder, self._told, self._on_fault = desk, folder, told, on_fault
        self._ended, self._wait_seconds = threading.Event(), wait_seconds
        self._thread = threading.Thread(target=self._run, name="hanse-watching", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                looks = watch(self._desk, self._folder, stop=self._ended.is_set, wait=self._rest)
                for handled in looks:
                    self._told(handled)
            except Exception as error:
                self._on_fault(error)
                self._rest(self._wait_seconds)

    def _rest(self, seconds: float) -> None:
        self._ended.wait(min(seconds, self._wait_seconds))

    def close(self) -> None:
        """End after the file that is being imported."""
        self._ended.set()
        self._thread.join()
