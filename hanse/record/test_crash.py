"""Crashes at every write, with and without the power going, and kills at random moments."""

import contextlib
import os
import random
import signal
import subprocess
import sys

import pytest

from . import merkle
from .faults import HALF, LANDED, NOT_LANDED, Crash, FaultyFiles
from .log import Log
from .note import WITNESS_KEY, Checkpoint, Note, Signer
from .reader import LogReader
from .segment import Segment
from .tiles import fetch_from
from .verify import verify

ORIGIN = "example.com/log"
SIGNER = Signer(ORIGIN, b"\x01" * 32)
WITNESS = Signer("example.com/w", b"\x02" * 32, WITNESS_KEY)


def entry(index):
    return b"entry %d " % index * (index % 7)


def work(directory, files, seen):
    """A life of a log; what was acknowledged or published at any time goes into `seen`."""
    for sizes in ((250, 3), (300, 2), (1,)):
        log = Log.open(directory, ORIGIN, SIGNER, files=files)
        try:
            for size in sizes:
                seen["sizes"].append(log.size + size)
                log.append([entry(i) for i in range(log.size, log.size + size)])
                if size != 3:  # publishing syncs by itself
                    seen["acknowledged"] = log.sync()
                seen["acknowledged"] = log.publish().size
                seen["published"].append(log.checkpoint)
            line = WITNESS.sign(Note.parse(log.checkpoint).text, 1)
            log.add_cosignatures([line], [WITNESS.key])
            log.close()
        finally:
            log.abandon()


def check(directory, seen):
    """Everything that must hold after a crash, and that the log goes on."""
    public = directory / "public"
    if (public / "checkpoint").exists():
        checkpoint = Checkpoint.parse(Note.parse((public / "checkpoint").read_bytes()).text)
        reader = LogReader(fetch_from(public), ORIGIN, [SIGNER.key])
        assert list(reader.entries()) == [entry(i) for i in range(checkpoint.size)], "the checkpoint is proven in full"
    else:
        assert not seen["published"]
    with Log.open(directory, ORIGIN, SIGNER, files=FaultyFiles(None)) as log:
        assert log.size >= seen["acknowledged"], "what was acknowledged is there"
        assert log.size in {0, *seen["sizes"]}, "groups are whole"
        assert list(log.segment.iterate()) == [entry(i) for i in range(log.size)]
        log.append([entry(i) for i in range(log.size, log.size + 10)])
        log.publish()
        for promised in seen["published"]:
            old = Checkpoint.parse(Note.parse(promised).text)
            merkle.verify_consistency(old.size, log.size, old.root, log.root, log.consistency(old.size))
    report = verify(directory, [SIGNER.key], ORIGIN)
    assert report.ok, report.findings
    assert not list(public.glob(".new*"))


def count_operations(directory):
    files = FaultyFiles(None)
    work(directory, files, {"sizes": [], "acknowledged": 0, "published": []})
    return files.count


def crash_everywhere(tmp_path_factory, how, power):
    total = count_operations(tmp_path_factory.mktemp("whole"))
    assert total > 100
    for at in range(total):
        directory = tmp_path_factory.mktemp("crash")
        seen = {"sizes": [], "acknowledged": 0, "published": []}
        with pytest.raises(Crash):
            work(directory, FaultyFiles(at, how, random.Random(at) if power else None), seen)
        check(directory, seen)


@pytest.mark.parametrize("how", [LANDED, NOT_LANDED, HALF])
def test_a_crash_at_any_write_leaves_a_log_that_keeps_its_promises(tmp_path_factory, how):
    crash_everywhere(tmp_path_factory, how, power=False)


@pytest.mark.parametrize("how", [LANDED, NOT_LANDED])
def test_a_power_cut_at_any_write_loses_nothing_that_was_synced(tmp_path_factory, how):
    crash_everywhere(tmp_path_factory, how, power=True)


def test_a_crash_while_recovering_can_be_recovered_from(tmp_path_factory):
    for torn in (5, 300):
        for at in range(12):
            directory = tmp_path_factory.mktemp("recover")
            work(directory, FaultyFiles(None), {"sizes": [], "acknowledged": 0, "published": []})
            with (directory / "segment").open("ab") as file:
                file.write(b"\0" * torn)
            for path in (directory / "public" / "tile" / "0").rglob("*"):
                if path.is_file():
                    path.unlink()
            with contextlib.suppress(Crash):
                Log.open(directory, ORIGIN, SIGNER, files=FaultyFiles(at, LANDED)).close()
            with Log.open(directory, ORIGIN, SIGNER, files=FaultyFiles(None)) as log:
                assert log.size == 556
            assert verify(directory, [SIGNER.key], ORIGIN).ok


def test_what_recovery_takes_over_is_synced_before_it_is_acknowledged(tmp_path):
    files = FaultyFiles(None)
    segment = Segment.open(tmp_path, files=files)
    segment.append([b"one"])
    segment.sync()
    segment.append([b"two"])
    segment.abandon()
    segment = Segment.open(tmp_path, files=files)
    assert segment.synced_size == segment.size == 2
    segment.abandon()
    files.cut_power()
    with Segment.open(tmp_path) as segment:
        assert list(segment.iterate()) == [b"one", b"two"]


WRITER = """
import sys
from hanse.record.log import Log
from hanse.record.test_crash import ORIGIN, SIGNER, entry
log = Log.open(sys.argv[1], ORIGIN, SIGNER)
print("open", log.size, flush=True)
while True:
    size = 1 + log.size * 7 % 90
    log.append([entry(i) for i in range(log.size, log.size + size)])
    print("synced", log.sync(), flush=True)
    if size % 3 == 0:
        print("published", log.publish().size, flush=True)
"""


def test_a_writer_killed_twenty_times_loses_nothing_that_it_acknowledged(tmp_path):
    rng = random.Random(20)
    promised = []
    with Log.open(tmp_path, ORIGIN, SIGNER):
        pass
    for _ in range(20):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, env={**os.environ}, text=True
        )
        lines = [process.stdout.readline().split() for _ in range(rng.randrange(1, 25))]
        if rng.random() < 0.5:
            _spin(rng.randrange(20_000))
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        lines += [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        acknowledged = max(int(line[1]) for line in lines)
        with Segment.open(tmp_path, read_only=True) as segment:
            assert segment.size >= acknowledged
            size = segment.size
        with Log.open(tmp_path, ORIGIN, SIGNER) as log:
            assert log.size == size
            assert not log.repaired
            for old_size, old_root in promised[-3:]:
                merkle.verify_consistency(old_size, size, old_root, log.root, log.consistency(old_size))
            promised.append((size, log.root))
            assert log.published_size >= max([int(line[1]) for line in lines if line[0] == "published"], default=0)
    with Log.open(tmp_path, ORIGIN, SIGNER) as log:
        assert list(log.segment.iterate()) == [entry(i) for i in range(log.size)]
        log.publish()
    assert verify(tmp_path, [SIGNER.key], ORIGIN).ok


def _spin(rounds):
    """A little time that is not the same each round, without a clock."""
    for i in range(rounds):
        merkle.leaf_hash(b"%d" % i)
