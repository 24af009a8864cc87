"""Verification names the file that is wrong, and the first entry, whatever byte of it was changed."""

import random
import shutil

import pytest

from .log import Log
from .note import Checkpoint, Note, Signer
from .tiles import TILE_WIDTH, pack_bundle, tile_path
from .verify import verify

ORIGIN = "example.com/log"
SIGNER = Signer(ORIGIN, b"\x01" * 32)
SIZE = 600


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    directory = tmp_path_factory.mktemp("original")
    with Log.open(directory, ORIGIN, SIGNER) as log:
        for start in range(0, SIZE, 50):
            log.append([b"entry %d" % i for i in range(start, start + 50)])
        log.publish()
        log.append([b"not published"] * 3)
    return directory


@pytest.fixture
def directory(original, tmp_path):
    shutil.copytree(original, tmp_path / "copy")
    return tmp_path / "copy"


def files(directory):
    """All files that verification answers for."""
    skipped = {"lock", "segment.torn"}
    paths = [path for path in directory.rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(directory)) for path in paths if path.name not in skipped)


def test_a_whole_log_has_no_findings_with_keys_from_elsewhere_or_its_own(original):
    progress = []
    report = verify(original, [SIGNER.key], ORIGIN, lambda done, total: progress.append((done, total)))
    assert report.ok
    assert (report.size, report.unpublished, report.segment_checked) == (SIZE, 3, True)
    assert (report.signed_by, report.own_key) == ([ORIGIN], False)
    assert progress == [(256, SIZE), (512, SIZE), (SIZE, SIZE)]
    own = verify(original)
    assert own.ok
    assert own.own_key


def test_the_published_part_alone_verifies(original):
    report = verify(original / "public", [SIGNER.key], ORIGIN)
    assert report.ok
    assert not report.segment_checked


def test_a_log_that_never_published_is_its_segment(tmp_path):
    with Log.open(tmp_path, ORIGIN, SIGNER) as log:
        log.append([b"a", b"b"])
    report = verify(tmp_path, [SIGNER.key], ORIGIN)
    assert report.ok
    assert (report.size, report.unpublished) == (None, 2)


def test_every_flipped_byte_names_the_file_it_is_in_and_no_other(directory):
    rng = random.Random(6962)
    names = files(directory)
    assert len(names) == 3 + 3 + 1 + 4
    for name in names:
        path = directory / name
        good = path.read_bytes()
        small = len(good) < 300
        for at in range(len(good)) if small else rng.sample(range(len(good)), 60):
            flipped = bytearray(good)
            flipped[at] ^= 1 << rng.randrange(8)
            path.write_bytes(bytes(flipped))
            report = verify(directory, [SIGNER.key], ORIGIN)
            assert {finding.file for finding in report.findings} == {name}, (name, at, report.findings)
        path.write_bytes(good)
    assert verify(directory, [SIGNER.key], ORIGIN).ok


def test_every_flipped_byte_of_an_older_partial_tile_is_named(tmp_path):
    with Log.open(tmp_path, ORIGIN, SIGNER) as log:
        for start in (0, 300, 302):
            log.append([b"entry %d" % i for i in range(start, start + 2 if start else 300)])
            log.publish()
    older = [tile_path(level, 1, width) for level in (0, "entries") for width in (44, 46)]
    assert verify(tmp_path, [SIGNER.key], ORIGIN).ok
    for name in older:
        path = tmp_path / "public" / name
        good = path.read_bytes()
        for at in (0, len(good) // 2, len(good) - 1):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            (finding,) = verify(tmp_path, [SIGNER.key], ORIGIN).findings
            assert finding.file == f"public/{name}"
        path.write_bytes(good[:-1])
        assert [finding.file for finding in verify(tmp_path).findings] == [f"public/{name}"]
        path.write_bytes(good)


def test_every_missing_file_is_named(directory):
    for name in files(directory):
        path = directory / name
        good = path.read_bytes()
        path.unlink()
        report = verify(directory, origin=ORIGIN)
        if name == "segment":
            assert report.ok, "the published part alone is whole"
            assert not report.segment_checked
        elif name == "segment.index":
            assert report.ok, "it only spares work"
        else:
            assert {finding.file for finding in report.findings} == {name}
        path.write_bytes(good)


@pytest.mark.parametrize("index", [0, 100, 255, 256, 511, 512, 599])
@pytest.mark.parametrize("replacement", [b"other", b"entry 100000 longer"])
def test_the_first_changed_entry_of_a_bundle_is_named(directory, index, replacement):
    number = index // TILE_WIDTH
    entries = [b"entry %d" % i for i in range(number * TILE_WIDTH, min(SIZE, (number + 1) * TILE_WIDTH))]
    name = tile_path("entries", number, len(entries))
    entries[index % TILE_WIDTH] = replacement
    entries[-1] += b"!"
    (directory / "public" / name).write_bytes(pack_bundle(entries))
    (finding,) = verify(directory, [SIGNER.key], ORIGIN).findings
    assert (finding.file, finding.entry) == (f"public/{name}", index)


@pytest.mark.parametrize(
    ("level", "number", "width", "at"), [(0, 0, 256, 7), (0, 1, 256, 255), (0, 2, 88, 3), (1, 0, 2, 1)]
)
def test_a_changed_tile_is_named_with_the_first_entry_below(directory, level, number, width, at):
    name = tile_path(level, number, width)
    path = directory / "public" / name
    data = bytearray(path.read_bytes())
    data[32 * at] ^= 1
    path.write_bytes(bytes(data))
    (finding,) = verify(directory, [SIGNER.key], ORIGIN).findings
    assert (finding.file, finding.entry) == (f"public/{name}", (number * 256 + at) * 256**level)


def test_entries_are_held_against_the_tiles_even_where_the_checkpoint_is_no_use(directory):
    entries = [b"entry %d" % i for i in range(256, 512)]
    entries[40] = b"other"
    (directory / "public/tile/entries/001").write_bytes(pack_bundle(entries))
    for checkpoint in (b"", b"garbage\n\n", Checkpoint(ORIGIN, 500, b"\5" * 32).signed([Signer(ORIGIN, b"\6" * 32)])):
        (directory / "public/checkpoint").write_bytes(checkpoint)
        report = verify(directory, [SIGNER.key], ORIGIN)
        found = {(finding.file, finding.entry) for finding in report.findings}
        assert found == {("public/checkpoint", None), ("public/tile/entries/001", 296)}


def test_several_wrong_files_are_all_named(directory):
    for name in ("public/tile/entries/000", "public/tile/entries/002.p/88", "public/tile/0/001"):
        path = directory / name
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(bytes(data))
    found = {(finding.file, finding.entry) for finding in verify(directory, [SIGNER.key], ORIGIN).findings}
    assert found == {
        ("public/tile/entries/000", 255),
        ("public/tile/0/001", 511),
        ("public/tile/entries/002.p/88", 599),
    }


def test_a_history_that_was_rewritten_and_signed_by_another_is_found(directory, tmp_path):
    forger = Signer(ORIGIN, b"\x66" * 32)
    with Log.open(tmp_path / "forged", ORIGIN, forger) as log:
        log.append([b"another history"] * SIZE)
        log.publish()
    report = verify(tmp_path / "forged", [SIGNER.key], ORIGIN)
    assert [str(finding) for finding in report.findings] == ["public/checkpoint: no signature by a known key"]


def test_a_segment_of_another_history_is_named_at_the_first_other_entry(directory, tmp_path):
    with Log.open(tmp_path / "other", ORIGIN, SIGNER) as log:
        log.append([b"entry %d" % i for i in range(300)] + [b"other"] * 300)
    shutil.copy(tmp_path / "other" / "segment", directory / "segment")
    finding = verify(directory, [SIGNER.key], ORIGIN).findings[0]
    assert (finding.file, finding.entry) == ("segment", 300)


def test_a_checkpoint_over_something_else_is_named_even_when_its_signature_holds(directory):
    lie = Checkpoint(ORIGIN, SIZE, b"\x05" * 32)
    (directory / "public" / "checkpoint").write_bytes(lie.signed([SIGNER]))
    report = verify(directory, [SIGNER.key], ORIGIN)
    assert [finding.file for finding in report.findings] == ["public/checkpoint"]
    assert "follows neither" in report.findings[0].what


def test_a_checkpoint_of_another_origin_is_named(directory):
    report = verify(directory, [SIGNER.key], "example.com/else")
    assert [finding.file for finding in report.findings] == ["public/checkpoint"]


def test_a_torn_tail_is_told_as_what_it_may_be(directory):
    with (directory / "segment").open("ab") as file:
        file.write(b"torn")
    (finding,) = verify(directory, [SIGNER.key], ORIGIN).findings
    assert (finding.file, finding.entry) == ("segment", SIZE + 3)
    assert "a write that a crash cut short, or damage" in finding.what


def test_verifying_changes_nothing(directory):
    before = {name: (directory / name).read_bytes() for name in files(directory)}
    verify(directory, [SIGNER.key], ORIGIN)
    assert {name: (directory / name).read_bytes() for name in files(directory)} == before
    assert Note.parse(before["public/checkpoint"]).verified([SIGNER.key]) == [SIGNER.key]
