"""The log as a whole: its promises, its proofs, and starting again."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from . import merkle
from . import segment as segment_module
from .damage import Damaged
from .lock import Locked
from .log import Log
from .note import WITNESS_KEY, Checkpoint, Note, NoteError, Signer
from .reader import LogReader
from .tiles import parse_tile_path
from .verify import verify
from .witness import add_checkpoint, parse_answer, write_request

ORIGIN = "example.com/log"
SIGNER = Signer(ORIGIN, b"\x01" * 32)
WITNESSES = [Signer(f"example.com/w{i}", bytes([i]) * 32, WITNESS_KEY) for i in (2, 3)]


def entries(start, stop):
    return [b"entry %d " % i * (i % 7) for i in range(start, stop)]


def fill(directory, *sizes):
    """A log of groups of these sizes, published at the end of each."""
    with Log.open(directory, ORIGIN, SIGNER) as log:
        for size in sizes:
            log.append(entries(log.size, log.size + size))
            log.publish()


def published(directory):
    """The published files: path -> bytes."""
    return {
        str(p.relative_to(directory / "public")): p.read_bytes()
        for p in (directory / "public").rglob("*")
        if p.is_file()
    }


def test_the_root_is_that_of_rfc_6962_and_every_entry_and_proof_verifies(tmp_path):
    with Log.open(tmp_path, ORIGIN, SIGNER) as log:
        assert log.root == merkle.empty_root()
        for stop in (1, 255, 256, 257, 700):
            assert log.append(entries(log.size, stop)) == log.size - (stop - log.size) or log.size == stop
        edge = merkle.Frontier()
        edge.append(merkle.leaf_hashes(entries(0, 700)))
        assert (log.size, log.root) == (700, edge.root())
        for publish in (False, True):
            if publish:
                assert log.publish() == Checkpoint(ORIGIN, 700, edge.root())
            for index in (0, 255, 256, 511, 512, 699):
                leaf = merkle.leaf_hash(log.entry(index))
                merkle.verify_inclusion(leaf, index, 700, log.inclusion(index), log.root)
                merkle.verify_inclusion(leaf, index, index + 1, log.inclusion(index, index + 1), log.root_at(index + 1))
                merkle.verify_consistency(index, 700, log.root_at(index), log.root, log.consistency(index))
        with pytest.raises(ValueError, match="no tree of 701"):
            log.inclusion(0, 701)
        with pytest.raises(ValueError, match="no tree of 701"):
            log.consistency(0, 701)
        with pytest.raises(IndexError):
            log.root_at(701)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from(["", "publish", "reopen", "crash"])), max_size=8))
def test_a_log_is_the_same_however_it_was_grown_published_and_reopened(tmp_path_factory, steps):
    directory = tmp_path_factory.mktemp("log")
    log = Log.open(directory, ORIGIN, SIGNER)
    edge, size = merkle.Frontier(), 0
    for count, then in steps:
        batch = entries(size, size + count)
        assert log.append(batch) == size
        size += count
        edge.append(merkle.leaf_hashes(batch))
        if then == "publish":
            assert log.publish() == Checkpoint(ORIGIN, size, edge.root())
        if then in ("reopen", "crash"):
            (log.close if then == "reopen" else log.abandon)()
            log = Log.open(directory, ORIGIN, SIGNER)
            assert not log.repaired
        assert (log.size, log.root) == (size, edge.root())
    log.publish()
    log.close()
    report = verify(directory, [SIGNER.key], ORIGIN)
    assert report.ok, report.findings
    assert (report.size, report.root) == (size, edge.root())
    assert list(LogReader.open(directory, ORIGIN, [SIGNER.key]).entries()) == entries(0, size)


def test_published_files_are_those_of_the_specification_and_no_more(tmp_path):
    fill(tmp_path, 100, 200, 70_000 - 300)
    names = set(published(tmp_path))
    assert {name for name in names if not name.startswith("tile/")} == {"checkpoint", "key"}
    tiles = [parse_tile_path(name) for name in names if name.startswith("tile/")]
    assert None not in tiles
    assert len([t for t in tiles if t[0] == 0 and t[2] == 256]) == 273
    assert {t for t in tiles if t[2] < 256} == {(0, 273, 112), (1, 1, 17), (2, 0, 1), ("entries", 273, 112)}
    assert len(tiles) == 2 * 274 + 2 + 1


def test_partial_tiles_of_every_checkpoint_stay_until_the_full_tile_is_there(tmp_path):
    fill(tmp_path, 10, 10, 10)
    partials = {"tile/0/000.p/10", "tile/0/000.p/20", "tile/0/000.p/30"}
    assert partials <= set(published(tmp_path))
    fill(tmp_path, 226)
    assert {name for name in published(tmp_path) if name.startswith("tile/0")} == {"tile/0/000"}


def test_publishing_twice_changes_nothing(tmp_path):
    fill(tmp_path, 300)
    before = published(tmp_path)
    with Log.open(tmp_path, ORIGIN, SIGNER) as log:
        log.publish()
        log.publish()
    assert published(tmp_path) == before


def test_opening_reads_the_right_edge_only_and_not_all_entries(tmp_path, monkeypatch):
    fill(tmp_path, 3000)
    with Log.open(tmp_path, ORIGIN, SIGNER) as log:
        log.append(entries(3000, 3010))
    hashed = []
    real = merkle.leaf_hashes
    monkeypatch.setattr(merkle, "leaf_hashes", lambda batch: hashed.extend(batch := list(batch)) or real(batch))
    with Log.open(tmp_path, ORIGIN, SIGNER) as log:
        assert hashed == entries(2816, 3010), "the last tile, to know the segment again, and what is not published"
        assert log.root == log.root_at(3010)


def test_publishing_saves_the_index_once_a_scan_would_be_long(tmp_path, monkeypatch):
    monkeypatch.setattr(segment_module, "_INDEX_DUE_BYTES", 5000)
    with Log.open(tmp_path, ORIGIN, SIGNER) as log:
        log.append([bytes(3000)])
        log.publish()
        assert not (tmp_path / "segment.index").exists()
        log.append([bytes(3000)])
        log.publish()
        assert (tmp_path / "segment.index").exists()
        assert log.segment.unindexed_groups == 0
        assert not log.segment.index_due


@pytest.mark.parametrize("lost", ["tile/0/011.p/184", "tile/1/000.p/11"])
@pytest.mark.parametrize("how", ["missing", "flipped", "short"])
def test_tiles_lost_or_damaged_at_the_edge_are_computed_anew_from_the_entries(tmp_path, lost, how):
    fill(tmp_path, 3000)
    before = published(tmp_path)
    path = tmp_path / "public" / lost
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(before[lost][1:] + (b"x" if how == "flipped" else b""))
    with Log.open(tmp_path, ORIGIN, SIGNER) as log:
        assert log.repaired
        assert log.published_size == 3000
        log.append([b"more"])
        log.publish()
        assert log.size == 3001
    assert verify(tmp_path, [SIGNER.key], ORIGIN).ok
    assert before[lost] == published(tmp_path)[lost]


def test_all_tiles_can_be_lost(tmp_path):
    fill(tmp_path, 1000)
    before = published(tmp_path)
    shutil.rmtree(tmp_path / "public" / "tile")
    Log.open(tmp_path, ORIGIN, SIGNER).close()
    assert published(tmp_path) == before


def test_a_log_does_not_open_on_fewer_or_other_entries_than_it_promised(tmp_path):
    fill(tmp_path / "a", 300, 10)
    fill(tmp_path / "b", 300)
    for name in ("segment", "segment.index"):
        shutil.copy(tmp_path / "b" / name, tmp_path / "a" / name)
    with pytest.raises(Damaged, match="a checkpoint covers 310 entries"):
        Log.open(tmp_path / "a", ORIGIN, SIGNER)
    with Log.open(tmp_path / "c", ORIGIN, SIGNER) as log:
        log.append([b"other"] * 310)
    shutil.copy(tmp_path / "c" / "segment", tmp_path / "a" / "segment")
    (tmp_path / "a" / "segment.index").unlink()
    with pytest.raises(Damaged, match="do not lead to its root"):
        Log.open(tmp_path / "a", ORIGIN, SIGNER)
    shutil.rmtree(tmp_path / "a" / "public" / "tile")
    with pytest.raises(Damaged, match="do not lead to its root"):
        Log.open(tmp_path / "a", ORIGIN, SIGNER)


def test_a_checkpoint_that_is_damaged_or_of_another_log_stops_the_start(tmp_path):
    fill(tmp_path, 10)
    with pytest.raises(Damaged, match=r"not of 'example\.com/else'"):
        Log.open(tmp_path, "example.com/else", SIGNER)
    path = tmp_path / "public" / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n10\n", b"\n11\n"))
    with pytest.raises(Damaged, match=r"public/checkpoint: the signature of example\.com/log does not hold"):
        Log.open(tmp_path, ORIGIN, SIGNER)


def test_a_log_opens_with_another_signer_and_without_one(tmp_path):
    fill(tmp_path, 10)
    with Log.open(tmp_path, ORIGIN) as log:
        assert log.append([b"unsigned"]) == 10
        with pytest.raises(ValueError, match="without a signer"):
            log.publish()
    new = Signer(ORIGIN, b"\x07" * 32)
    with Log.open(tmp_path, ORIGIN, new) as log:
        log.publish()
    assert verify(tmp_path, [new.key], ORIGIN).ok
    assert verify(tmp_path, origin=ORIGIN).ok
    with Log.open(tmp_path, ORIGIN) as log:
        assert log.published_size == 11
    with Log.open(tmp_path, ORIGIN, SIGNER) as log:
        log.publish()
    assert published(tmp_path)["key"].decode().splitlines() == [str(SIGNER.key), str(new.key)]


def test_a_log_has_one_writer(tmp_path):
    with Log.open(tmp_path, ORIGIN, SIGNER), pytest.raises(Locked):
        Log.open(tmp_path, ORIGIN, SIGNER)


def test_witnesses_cosign_and_their_signatures_stay_under_the_checkpoint(tmp_path):
    keys = [witness.key for witness in WITNESSES]
    seen = [{}, {}]
    with Log.open(tmp_path, ORIGIN, SIGNER) as log:
        with pytest.raises(ValueError, match="no checkpoint"):
            log.add_cosignatures([], keys)
        for count in (10, 300):
            old = log.published_size
            log.append(entries(log.size, log.size + count))
            log.publish()
            for i, witness in enumerate(WITNESSES):
                request = write_request(old, log.consistency(old), log.checkpoint)
                answer = add_checkpoint(request, {ORIGIN: [SIGNER.key]}, seen[i], witness, 1_700_000_000 + count)
                assert answer.status == 200, answer.body
                seen[i] = dict([answer.store])
                assert log.add_cosignatures(parse_answer(answer.body.encode()), keys) == [witness.key]
        assert Note.parse(log.checkpoint).verified([SIGNER.key, *keys]) == [SIGNER.key, *keys]
        stale = WITNESSES[0].sign("example.com/log\n1\n\n", 1)
        with pytest.raises(NoteError, match="does not hold"):
            log.add_cosignatures([stale], keys)
        again = WITNESSES[0].sign(Note.parse(log.checkpoint).text, 1_800_000_000)
        log.add_cosignatures([again], keys)
        assert len(Note.parse(log.checkpoint).signatures) == 3
    reader = LogReader.open(tmp_path, ORIGIN, [SIGNER.key, *keys])
    assert set(reader.signed_by) == {SIGNER.key, *keys}
    with Log.open(tmp_path, ORIGIN, SIGNER) as log:
        assert len(Note.parse(log.checkpoint).signatures) == 3


def test_a_reader_follows_a_log_and_refuses_one_that_forks_or_shrinks(tmp_path):
    fill(tmp_path / "a", 300)
    fill(tmp_path / "fork", 299, 500)
    with Log.open(tmp_path / "other", ORIGIN, SIGNER) as log:
        log.append([b"other"] * 600)
        log.publish()
    served = tmp_path / "a" / "public"
    reader = LogReader(lambda path: (served / path).read_bytes(), ORIGIN, [SIGNER.key])
    first = reader.checkpoint
    fill(tmp_path / "a", 400)
    assert reader.refresh().size == 700
    assert reader.entry(650) == entries(650, 651)[0]
    merkle.verify_inclusion(merkle.leaf_hash(reader.entry(5)), 5, 700, reader.inclusion(5), reader.checkpoint.root)
    served = tmp_path / "other" / "public"
    with pytest.raises(merkle.ProofError, match="shrank from 700 to 600"):
        reader.refresh()
    fill(tmp_path / "other", 200)
    with pytest.raises(merkle.ProofError):
        reader.refresh()
    assert reader.checkpoint.size == 700
    assert first.size == 300
    served = tmp_path / "nothing"
    with pytest.raises(Damaged, match="the file is missing"):
        reader.refresh()


def test_a_reader_returns_nothing_that_is_not_proven(tmp_path):
    fill(tmp_path, 600)
    good = published(tmp_path)
    for path, index in (("tile/entries/001", 300), ("tile/0/001", 300), ("tile/entries/002.p/88", 590)):
        target = tmp_path / "public" / path
        data = bytearray(good[path])
        data[len(data) // 2] ^= 1
        target.write_bytes(data)
        reader = LogReader.open(tmp_path, ORIGIN, [SIGNER.key])
        with pytest.raises(Damaged) as caught:
            list(reader.entries(index))
        assert caught.value.finding.file == path
        assert reader.entry(3) == entries(3, 4)[0]
        target.write_bytes(good[path])
    reader = LogReader.open(tmp_path / "public", ORIGIN, [SIGNER.key])
    assert list(reader.entries(250, 260)) == entries(250, 260)
    for index in (-1, 600):
        with pytest.raises(IndexError):
            reader.entry(index)
    with pytest.raises(ValueError, match="no tile"):
        reader.tile(0, 5)
    with pytest.raises(Damaged, match="no signature by a known key"):
        LogReader.open(tmp_path, ORIGIN, [WITNESSES[0].key])
