"""The segment: groups whole or not at all, damage never cut, one writer, no room."""

import errno
import multiprocessing
import os
import resource
import shutil
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from . import frames
from .damage import Damaged, UnknownVersion
from .faults import FaultyFiles
from .files import DiskFull, Files
from .frames import EntryTooLarge
from .lock import Locked
from .segment import Segment, Unusable

GROUPS = [[b"one", b"two"], [b"three"], [b"", b"five" * 9, b"six"], [b"seven"]]
ENTRIES = [entry for group in GROUPS for entry in group]


@pytest.fixture
def directory(tmp_path):
    with Segment.open(tmp_path) as segment:
        for group in GROUPS:
            segment.append(group)
    (tmp_path / "segment.index").unlink()
    return tmp_path


def places(directory):
    """(offset of the group, Group) of each group in a segment."""
    data = (directory / "segment").read_bytes()
    salt = frames.unpack_file_header(data)
    at, found = frames.FILE_HEADER_BYTES, []
    while at < len(data):
        group = frames.find_group(lambda size, offset: data[offset : offset + size], salt, at, len(data))
        found.append(group)
        at = group.end
    return found


def flip(path, at, bit=0):
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


def test_entries_come_back_in_order_and_by_position(directory):
    with Segment.open(directory) as segment:
        assert segment.size == segment.synced_size == len(ENTRIES)
        assert list(segment.iterate()) == ENTRIES
        assert [segment.read(i) for i in range(segment.size)] == ENTRIES
        assert list(segment.iterate(1, 5)) == ENTRIES[1:5]
        assert list(segment.iterate(5, 2)) == []
        assert [(first, entries) for first, entries in segment.groups(3, 4)] == [(3, GROUPS[2])]
        for index in (-1, 7):
            with pytest.raises(IndexError):
                segment.read(index)
        assert segment.append([b"eight"]) == 7
        assert segment.read(7) == b"eight"
        assert segment.synced_size == 7
        assert segment.sync() == segment.synced_size == 8


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_segment_is_a_list_however_it_is_cut_into_groups_and_reopened(tmp_path_factory, data):
    directory = tmp_path_factory.mktemp("segment")
    model, segment = [], Segment.open(directory)
    for _ in range(data.draw(st.integers(1, 8))):
        group = data.draw(st.lists(st.binary(max_size=40), min_size=1, max_size=20))
        assert segment.append(group) == len(model)
        model += group
        if data.draw(st.booleans()):
            (segment.close if data.draw(st.booleans()) else segment.abandon)()
            segment = Segment.open(directory)
        assert segment.size == len(model)
        start, stop = data.draw(st.integers(0, len(model))), data.draw(st.integers(0, len(model)))
        assert list(segment.iterate(start, stop)) == model[start:stop]
    assert [segment.read(i) for i in range(len(model))] == model
    segment.close()


def test_a_tail_torn_anywhere_is_cut_to_the_last_whole_group_and_kept_aside(directory, tmp_path_factory):
    data = (directory / "segment").read_bytes()
    groups = places(directory)
    ends = [frames.FILE_HEADER_BYTES, *(group.end for group in groups)]
    for cut in range(frames.FILE_HEADER_BYTES, len(data)):
        copy = tmp_path_factory.mktemp("torn")
        (copy / "segment").write_bytes(data[:cut])
        with Segment.open(copy, files=FaultyFiles(None)) as segment:
            whole = sum(end <= cut for end in ends) - 1
            assert segment.size == (groups[whole - 1].first + groups[whole - 1].count if whole else 0)
            assert list(segment.iterate()) == ENTRIES[: segment.size]
            assert segment.cut_bytes == cut - ends[whole]
            if segment.cut_bytes:
                assert (copy / "segment.torn").read_bytes() == data[ends[whole] : cut]
            segment.append([b"again"])
        with Segment.open(copy, files=FaultyFiles(None)) as segment:
            assert segment.cut_bytes == 0
            assert segment.read(segment.size - 1) == b"again"
        shutil.rmtree(copy)


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 5000, b"HANSEREC" * 100])
def test_a_tail_of_zeroes_or_anything_else_is_cut(directory, tail):
    with (directory / "segment").open("ab") as file:
        file.write(tail)
    with Segment.open(directory) as segment:
        assert (segment.size, segment.cut_bytes) == (len(ENTRIES), len(tail))


def test_reading_only_leaves_a_torn_tail_where_it_is(directory):
    with (directory / "segment").open("ab") as file:
        file.write(b"torn")
    before = (directory / "segment").read_bytes()
    with Segment.open(directory, read_only=True) as segment:
        assert (segment.size, segment.cut_bytes) == (len(ENTRIES), 4)
        with pytest.raises(Unusable):
            segment.append([b"x"])
    assert (directory / "segment").read_bytes() == before
    assert not (directory / "segment.torn").exists()


def test_every_flipped_byte_is_found_and_the_first_bad_entry_named(directory):
    path = directory / "segment"
    good = path.read_bytes()
    groups = places(directory)
    for at in range(len(good)):
        flip(path, at, at % 8)
        if at < frames.FILE_HEADER_BYTES:
            with pytest.raises((Damaged, UnknownVersion), match="segment"):
                Segment.open(directory, keep=len(ENTRIES))
        else:
            with pytest.raises(Damaged) as caught:
                Segment.open(directory, keep=len(ENTRIES))
            group = next(group for group in groups if group.offset <= at < group.end)
            expected = group.first
            if group.table_offset <= at < group.payload_offset:
                expected += (at - group.table_offset) // 8
            elif group.payload_offset <= at < group.payload_offset + group.payload_bytes:
                ends = [sum(map(len, GROUPS[groups.index(group)][: i + 1])) for i in range(group.count)]
                expected += sum(end <= at - group.payload_offset for end in ends)
            assert caught.value.finding.entry == expected, at
        assert path.stat().st_size == len(good), "damage is never cut"
        path.write_bytes(good)


def test_a_bad_group_with_whole_ones_after_it_is_damage_though_nobody_vouches_for_it(directory):
    path = directory / "segment"
    good = path.read_bytes()
    for group in places(directory)[:-1]:
        for at in range(group.offset, group.end):
            flip(path, at)
            with pytest.raises(Damaged):
                Segment.open(directory)
            path.write_bytes(good)


def test_a_last_group_that_a_checkpoint_covers_is_damage_and_not_a_torn_tail(directory):
    last = places(directory)[-1]
    flip(directory / "segment", last.payload_offset)
    with pytest.raises(Damaged) as caught:
        Segment.open(directory, keep=7)
    assert caught.value.finding.entry == 6
    with Segment.open(directory, keep=6) as segment:
        assert segment.size == 6


def test_a_file_that_ends_before_what_a_checkpoint_covers_is_damage(directory):
    os.truncate(directory / "segment", places(directory)[-1].offset)
    with pytest.raises(Damaged, match="the file ends here, but a checkpoint covers 7 entries"):
        Segment.open(directory, keep=7)


def test_an_entry_that_looks_like_a_group_is_not_taken_for_one(tmp_path):
    with Segment.open(tmp_path / "a") as segment:
        segment.append([b"x"])
    lookalike = (tmp_path / "a" / "segment").read_bytes()[frames.FILE_HEADER_BYTES :]
    with Segment.open(tmp_path / "b") as segment:
        segment.append([b"first"])
        segment.append([lookalike * 3])
    os.truncate(tmp_path / "b" / "segment", (tmp_path / "b" / "segment").stat().st_size - 1)
    (tmp_path / "b" / "segment.index").unlink()
    with Segment.open(tmp_path / "b") as segment:
        assert list(segment.iterate()) == [b"first"]


def test_the_index_spares_the_scan_and_is_never_believed_against_the_segment(directory):
    with Segment.open(directory) as segment:
        assert segment.unindexed_groups == len(GROUPS)
    with Segment.open(directory) as segment:
        assert segment.unindexed_groups == 0
        segment.append([b"eight"])
        segment.sync()
        segment.abandon()
    index = directory / "segment.index"
    good = index.read_bytes()
    for at in range(len(good)):
        flip(index, at)
        with Segment.open(directory, read_only=True) as segment:
            assert list(segment.iterate()) == [*ENTRIES, b"eight"]
        index.write_bytes(good)
    with Segment.open(directory / "other") as segment:
        segment.append([b"else"])
    shutil.copy(index, directory / "other" / "segment.index")
    with Segment.open(directory / "other") as segment:
        assert list(segment.iterate()) == [b"else"]


def test_damage_under_the_index_is_found_when_it_is_read_or_scanned(directory):
    Segment.open(directory).close()
    group = places(directory)[2]
    flip(directory / "segment", group.payload_offset)
    with Segment.open(directory) as segment:
        with pytest.raises(Damaged) as caught:
            segment.read(4)
        assert caught.value.finding.entry == 4
        assert segment.read(5) == b"six"
        with pytest.raises(Damaged):
            list(segment.iterate())
    with pytest.raises(Damaged) as caught:
        Segment.open(directory, scan=True)
    assert caught.value.finding.entry == 4


def test_an_unknown_version_is_refused_and_nothing_is_changed(directory):
    path = directory / "segment"
    good = path.read_bytes()
    head = bytearray(good[:24])
    head[8:12] = struct.pack("<I", 2)
    path.write_bytes(bytes(head) + struct.pack("<II", frames.crc32(head), 0) + good[32:])
    before = path.read_bytes()
    with pytest.raises(UnknownVersion, match="version 2; this program knows version 1"):
        Segment.open(directory)
    assert path.read_bytes() == before


def test_an_entry_over_the_limit_or_an_empty_group_is_refused_and_nothing_written(directory):
    with Segment.open(directory) as segment:
        before = (directory / "segment").read_bytes()
        with pytest.raises(EntryTooLarge) as caught:
            segment.append([b"fine", bytes(65_536)])
        assert caught.value.position == 1
        with pytest.raises(ValueError, match="at least one entry"):
            segment.append([])
        assert (directory / "segment").read_bytes() == before
        segment.append([bytes(65_535)])
        assert segment.read(7) == bytes(65_535)


def _open_and_say(directory, pipe):
    try:
        Segment.open(directory).close()
        pipe.send(None)
    except Locked as error:
        pipe.send(error.pid)


def test_a_second_writer_is_told_the_process_of_the_first(directory):
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    with Segment.open(directory) as segment:
        process = context.Process(target=_open_and_say, args=(directory, theirs))
        process.start()
        assert mine.recv() == os.getpid()
        process.join()
        with pytest.raises(Locked):
            Segment.open(directory)
        with Segment.open(directory, read_only=True) as reader:
            assert reader.size == segment.size
    Segment.open(directory).close()


class NoRoom(Files):
    """Writes half, then has no room."""

    def __init__(self):
        self.full, self.truncating = False, True

    def write_at(self, fd, data, offset):
        if not self.full:
            return super().write_at(fd, data, offset)
        super().write_at(fd, data[: len(data) // 2], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    def truncate(self, fd, size_bytes):
        if not self.truncating:
            raise OSError(errno.EIO, "I/O error")
        super().truncate(fd, size_bytes)


def test_no_room_takes_back_the_half_group_and_the_segment_stays_usable(tmp_path):
    files = NoRoom()
    segment = Segment.open(tmp_path, files=files)
    segment.append([b"one"])
    size_bytes = (tmp_path / "segment").stat().st_size
    files.full = True
    with pytest.raises(DiskFull):
        segment.append([b"two"] * 100)
    assert (tmp_path / "segment").stat().st_size == size_bytes
    assert segment.size == 1
    files.full = False
    assert segment.append([b"two"]) == 1
    segment.close()
    with Segment.open(tmp_path) as segment:
        assert list(segment.iterate()) == [b"one", b"two"]
        assert segment.cut_bytes == 0


def test_the_limit_of_the_system_on_file_sizes_is_no_room(tmp_path):
    with Segment.open(tmp_path) as segment:
        segment.append([b"one"])
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        try:
            with pytest.raises(DiskFull):
                segment.append([bytes(1000)] * 10)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert segment.append([b"two"]) == 1
        assert list(segment.iterate()) == [b"one", b"two"]


def test_a_half_group_that_cannot_be_taken_back_makes_the_segment_unusable_until_opened_anew(tmp_path):
    files = NoRoom()
    segment = Segment.open(tmp_path, files=files)
    segment.append([b"one"])
    files.full, files.truncating = True, False
    with pytest.raises(DiskFull):
        segment.append([b"two"] * 100)
    files.full = False
    with pytest.raises(Unusable):
        segment.append([b"three"])
    segment.close()
    with Segment.open(tmp_path) as segment:
        assert list(segment.iterate()) == [b"one"]
        assert segment.cut_bytes > 0


def test_after_a_failed_sync_nothing_is_acknowledged_until_opened_anew(tmp_path):
    class BadDisk(Files):
        bad = False

        def sync_data(self, fd):
            if self.bad:
                raise OSError(errno.EIO, "I/O error")
            super().sync_data(fd)

    files = BadDisk()
    segment = Segment.open(tmp_path, files=files)
    segment.append([b"one"])
    segment.sync()
    segment.append([b"two"])
    files.bad = True
    with pytest.raises(OSError, match="I/O error"):
        segment.sync()
    files.bad = False
    assert segment.synced_size == 1
    for act in (segment.sync, lambda: segment.append([b"three"])):
        with pytest.raises(Unusable, match="a sync failed"):
            act()
    segment.close()


def test_cutting_by_hand_keeps_whole_groups_only_and_what_was_cut(directory):
    groups = places(directory)
    flip(directory / "segment", groups[2].payload_offset)
    with pytest.raises(Damaged):
        Segment.open(directory)
    with pytest.raises(ValueError, match="inside a group"):
        Segment.cut(directory, 1)
    with pytest.raises(Damaged):
        Segment.cut(directory, 6)
    tail = (directory / "segment").read_bytes()[groups[2].offset :]
    Segment.cut(directory, 3)
    assert (directory / "segment.torn").read_bytes() == tail
    with Segment.open(directory) as segment:
        assert list(segment.iterate()) == ENTRIES[:3]


def test_the_seam_for_faults_does_nothing_when_no_fault_is_asked_for(tmp_path):
    with Segment.open(tmp_path, files=FaultyFiles(None)) as segment:
        segment.append([b"one"])
    with Segment.open(tmp_path) as segment:
        assert list(segment.iterate()) == [b"one"]
