"""Backups: all that cannot be built again, copied consistently while the node runs.

A backup is a directory like the node's own, without `state.db`: `hanse verify` checks it, and a node opens on it.

Order is what makes it consistent. The record is copied first, whole groups only, each checked by its checksums; then
disclosures, keys, accounts and files, of which each entry's were there before the entry was. What they have beyond the
record is harmless, and disclosures of entries that are not in the copy are left out. The checkpoint is the one that was
published before the copying began, and is written last; the copy signs nothing. The whole appears under its name only
when it is on the disk.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from msgspec import Struct

from hanse.kernel.refusal import Refused
from hanse.node import disclosures, wallet
from hanse.node.disclosures import open_unchanged
from hanse.node.node import ABOUT, FILES, LOCK, NODE_KEY, Node, read_about
from hanse.node.read_path import STATE
from hanse.node.stored import RECORD
from hanse.record.damage import Damaged
from hanse.record.files import REAL_FILES
from hanse.record.log import KEY, PUBLIC
from hanse.record.merkle import TILE_WIDTH
from hanse.record.note import Checkpoint, Note
from hanse.record.segment import Segment
from hanse.record.tiles import (
    CHECKPOINT,
    ENTRIES,
    TileReader,
    fetch_from,
    pack_bundle,
    tile_path,
    tiles_of,
)

ACCOUNTS = "accounts.db"
_SECRET = (wallet.FILE, ACCOUNTS, disclosures.FILE, NODE_KEY)
Progress = Callable[[str, int, int], None]
"""(what is being copied, done, all)"""


class Backup(Struct, frozen=True):
    """What was copied. `entries`: on the record; `checkpoint`: of these covered by it. `files`: attachments."""

    target: str
    entries: int
    checkpoint: int
    files: int


def backup(directory: Path | str, target: Path | str, progress: Progress = lambda what, done, all: None) -> Backup:
    """Copy a node's directory, running or not, to a new one.

    Refuses, in order: as `read_about`; backup.target_taken, node.damaged.
    """
    source, target = Path(directory), Path(target)
    read_about(source)
    return _whole(target, lambda folder: _copy(source, folder, target, progress))


def restore(source: Path | str, target: Path | str, progress: Progress = lambda what, done, all: None) -> Backup:
    """A data directory from a backup: copied, then opened once, which builds its state.

    Refuses, in order: as `backup`; as `Node`.
    """
    copied = backup(source, target, progress)
    with Node(target, progress=lambda done, all: progress("state", done, all), helper=False):
        return copied


def _whole(target: Path, make: Callable[[Path], Backup]) -> Backup:
    """Make a directory beside its final name, and give it that name when all of it is on the disk."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Refused("backup.target_taken", "something is there already", got=target, next="name another directory")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    try:
        made = make(partial)
        _sync_all(partial)
        REAL_FILES.rename(partial, target)
        REAL_FILES.sync_directory(target.parent)
        return made
    except Damaged as damaged:
        raise Refused(
            "node.damaged",
            f"the record is damaged, and was not copied: {damaged}",
            next="see all of it with `hanse verify`",
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _copy(source: Path, folder: Path, target: Path, progress: Progress) -> Backup:
    public = source / RECORD / PUBLIC
    note = (public / CHECKPOINT).read_bytes() if (public / CHECKPOINT).exists() else b""
    covered = Checkpoint.parse(Note.parse(note).text).size if note else 0
    entries = _copy_segment(source / RECORD, folder / RECORD, covered, progress)
    (folder / RECORD / PUBLIC).mkdir()
    if (public / KEY).exists():
        shutil.copyfile(public / KEY, folder / RECORD / PUBLIC / KEY)
    _copy_tiles(public, folder / RECORD / PUBLIC, covered, progress)
    for name in (disclosures.FILE, wallet.FILE, ACCOUNTS):
        _copy_database(source / name, folder / name)
    _prune(folder / disclosures.FILE, entries)
    files = _copy_files(source / FILES, folder / FILES)
    _copy_rest(source, folder)
    for name in (NODE_KEY, ABOUT):
        if (source / name).exists():
            shutil.copyfile(source / name, folder / name)
    for name in _SECRET:
        if (folder / name).exists():
            (folder / name).chmod(0o600)
    if note:
        (folder / RECORD / PUBLIC / CHECKPOINT).write_bytes(note)
    return Backup(str(target), entries, covered, files)


def _copy_segment(source: Path, target: Path, covered: int, progress: Progress) -> int:
    """Every whole group, read with its checksums and written as a new segment; how many entries. Raises: Damaged."""
    stored = Segment.open(source, read_only=True, keep=covered)
    try:
        with Segment.open(target) as copy:
            for first, entries in stored.groups(0, stored.size):
                copy.append(entries)
                progress("record", first + len(entries), stored.size)
            return copy.size
    finally:
        stored.abandon()


def _copy_tiles(source: Path, target: Path, size: int, progress: Progress) -> None:
    """The tiles and bundles of a tree of `size` entries; a partial one may have grown full meanwhile."""
    reader = TileReader(fetch_from(source))
    for level, full, rest in tiles_of(size):
        for number in range(full + bool(rest)):
            width = TILE_WIDTH if number < full else rest
            _write(target, tile_path(level, number, width), reader.tile(level, number, width))
            if level == 0:
                entries = reader.bundle(number, width)[1][:width]
                _write(target, tile_path(ENTRIES, number, width), pack_bundle(entries))
                progress("tiles", number * TILE_WIDTH + width, size)


def _write(folder: Path, path: str, data: bytes) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)


def _copy_database(source: Path, target: Path) -> None:
    """SQLite's own backup, which sees whole transactions only."""
    if not source.exists():
        return
    os.close(os.open(target, os.O_CREAT | os.O_RDWR, 0o600))
    live = source.with_name(source.name + "-wal").exists()
    with closing(open_unchanged(source, live=live)) as stored, closing(sqlite3.connect(target)) as copy:
        stored.backup(copy, pages=4_000)


def _prune(path: Path, size: int) -> None:
    """Leave out the disclosures of entries that came after the record was copied."""
    if path.exists():
        with closing(sqlite3.connect(path, isolation_level=None)) as copy:
            copy.execute("PRAGMA secure_delete=ON")
            copy.execute("DELETE FROM disclosed WHERE position >= ?", (size,))
            copy.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _copy_files(source: Path, target: Path) -> int:
    target.mkdir()
    names = sorted(path.name for path in source.iterdir() if path.suffix != ".new") if source.is_dir() else []
    for name in names:
        shutil.copyfile(source / name, target / name)
    return len(names)


def _copy_rest(source: Path, folder: Path) -> None:
    """Whatever else people would miss: imports and their mappings, uploads, studies, freight tables, webhooks, calls.

    Each by what it is, not by a list, so that nothing is forgotten that is kept here later. What can be built again
    (the state) and what belongs to a process (its lock) stays out, and so does what lies below the copy itself.
    """
    for path in sorted(source.iterdir()):
        name = path.name
        known = (folder / name).exists() or name in (LOCK, RECORD, STATE) or name.endswith(("-wal", "-shm", ".new"))
        if known or path.is_symlink() or path in (folder, *folder.parents):
            continue
        if path.is_dir():
            _copy_folder(path, folder / name)
        elif _is_database(path):
            _copy_database(path, folder / name)
        else:
            _copy_file(path, folder / name)


def _is_database(path: Path) -> bool:
    with path.open("rb") as stored:
        return stored.read(16) == b"SQLite format 3\0" or path.suffix == ".db"


def _copy_folder(source: Path, target: Path) -> None:
    """A folder with all below it; what is deleted meanwhile is left out."""
    target.mkdir(mode=0o700)
    for path in sorted(source.iterdir()) if source.is_dir() else ():
        if path.is_symlink() or path.suffix == ".new":
            continue
        if path.is_dir():
            _copy_folder(path, target / path.name)
        else:
            _copy_file(path, target / path.name)


def _copy_file(source: Path, target: Path) -> None:
    with suppress(FileNotFoundError):
        data_mode = source.stat().st_mode & 0o700
        shutil.copyfile(source, target)
        target.chmod(data_mode | 0o600)


def _sync_all(folder: Path) -> None:
    """Every file and name below a folder, onto the disk."""
    for where, _, names in os.walk(folder, topdown=False):
        for name in names:
            fd = os.open(Path(where) / name, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        REAL_FILES.sync_directory(Path(where))
