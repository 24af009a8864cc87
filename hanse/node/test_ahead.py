"""Reading ahead: what a process beside a replay reads is what is read in place, faults included."""

import gc
import hashlib
import shutil
import signal

import pytest

from hanse.kernel.entries import Header
from hanse.kernel.facts import HEADER, payload, thumbprint
from hanse.kernel.leaves import block_entry, fact_entry
from hanse.kernel.reading import read
from hanse.node import pipes
from hanse.node import replay as replay_module
from hanse.node import verify as verify_module
from hanse.node.ahead import ReadAhead, Request, read_parts
from hanse.node.collecting import without_collecting
from hanse.node.desk import sign_runs
from hanse.node.node import Node
from hanse.node.parts import rulebook
from hanse.node.stored import ReplayFault, blocks
from hanse.node.testing import site, town
from hanse.node.verify import verify
from hanse.record import ed25519
from hanse.record.frames import SEGMENT
from hanse.rooms.parties.facts import RetireKey
from hanse.standards import sdjwt


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A record with facts signed singly and in batches."""
    directory = town(tmp_path_factory.mktemp("ahead") / "node")
    with Node(directory, helper=False) as node:
        for start in (0, 40):
            facts = [site(node, "anna", f"Site {n}", n) for n in range(start, start + 40)]
            signed = [*sign_runs(node.wallet, "anna", facts[:30]), *(node.wallet.sign("anna", f) for f in facts[30:])]
            for future in [node.path.submit(one) for one in signed]:
                assert future.result(60).code == "ok"
    return directory


@pytest.fixture
def directory(made, tmp_path):
    return shutil.copytree(made, tmp_path / "node")


def both(directory, size):
    """What is read in place and beside: parts, then the type and text of what ended it."""
    request, kinds = Request(str(directory), 0, size, check=True), rulebook().kinds
    for parts in (lambda: read_parts(request, kinds), lambda: beside(request, kinds)):
        found = []
        try:
            for part in parts():
                assert list(part.block.facts[1:]) == [part.block.facts[at] for at in range(1, len(part.block.facts))]
                part.block.facts = list(part.block.facts)
                found.append(part)
            yield found, None
        except Exception as error:
            yield found, (type(error), str(error))


def beside(request, kinds):
    with ReadAhead(request, kinds) as ahead:
        yield from ahead.parts()


def size_of(directory):
    with Node(directory, helper=False) as node:
        return node.log.size


def test_a_record_reads_the_same_beside_as_in_place(directory):
    (here, ended), (there, ended_there) = both(directory, size_of(directory))
    assert here == there and ended is ended_there is None
    assert sum(len(part.block.facts) for part in here) > 80
    assert not any(part.checked.wrong or part.bad_disclosures or part.checked.unknown for part in here)


@pytest.mark.parametrize("part", range(1, 12))
def test_a_damaged_segment_ends_both_alike(directory, part):
    size, path = size_of(directory), directory / "record" / SEGMENT
    data = bytearray(path.read_bytes())
    data[len(data) * part // 12] ^= 4
    path.write_bytes(data)
    (here, ended), (there, ended_there) = both(directory, size)
    assert ended == ended_there and ended is not None
    assert [one.block for one in here][: len(there)] == [one.block for one in there]


def test_a_rebuild_that_reads_ahead_gives_the_same_state(directory, monkeypatch):
    monkeypatch.setattr(replay_module, "READ_AHEAD_FROM", 1)
    monkeypatch.setattr(verify_module, "READ_AHEAD_FROM", 1)
    with Node(directory, helper=False, rebuild=True) as node:
        assert node.rebuilt == node.log.size
    found = verify(directory)
    assert found.ok and found.state == "equal" and found.signatures > 20, found.findings


def test_a_replay_makes_no_cycles_that_somebody_would_have_to_look_for(directory):
    """So it goes on without looking: see `node.collecting`."""
    with Node(directory, helper=False) as node:
        for start in range(0, 100, 50):
            facts = [RetireKey(kid=f"no-{n:019}") for n in range(start, start + 50)]
            signed = [node.wallet.sign("anna", fact) for fact in facts]
            assert "ok" not in {future.result(60).code for future in [node.path.submit(one) for one in signed]}
    left = []

    def behind_the_last(step, done, all):
        if done == all:
            assert not gc.isenabled()
            left.append(gc.collect())

    gc.collect()
    with without_collecting():
        found = verify(directory, progress=behind_the_last)
    assert found.ok and found.refused >= 100 and gc.isenabled()
    assert left[0] < 50, "less than one for two facts, even where each is refused"


def forge(node, signed):
    """A block that no gate has seen; the position of its first fact."""
    with node.path._writing:
        block = node.path.applier.block(signed, node.path.now())
        node.path._keep_disclosures(signed, [getattr(one.fact, "circle", "") for one in signed], block)
        first = node.log.append(block.leaves)
        node.log.sync()
        node.path.applier.state.commit()
    return first + 1


def under_an_unknown_key(node, n):
    """A fact signed well, with a key that never came to the network."""
    seed = bytes([n]) * 32
    text, disclosures = payload(
        site(node, "anna", f"Unknown {n}", n), net=node.path.net, iss="anna", nonce=n, exp=node.path.now() + 99,
        kid=thumbprint(ed25519.public_key_of(seed)), salt=lambda: "s" * 22,
    )  # fmt: skip
    return read(rulebook().kinds, sdjwt.sign(HEADER, text, lambda data: ed25519.sign(seed, data)), disclosures)


def test_forged_signatures_and_unknown_keys_are_found_alike_here_and_beside(directory, monkeypatch):
    with Node(directory, helper=False) as node:
        sent = [node.wallet.sign("anna", site(node, "anna", f"Forged {n}", n)) for n in (97, 98, 99)]
        good, *others = [node.path.admission.read(one) for one in sent]
        for signed in others:
            signed.jwt = signed.jwt[:-8] + b"AAAAAAAA"
            signed.hash = hashlib.sha256(signed.jwt).digest()
        unknown = [under_an_unknown_key(node, n) for n in (5, 6)]
        first = forge(node, [others[0], unknown[0], good, unknown[1], others[1]])
    here = verify(directory)
    monkeypatch.setattr(verify_module, "READ_AHEAD_FROM", 1)
    there = verify(directory)
    assert here == there and not here.ok
    assert [(one.position - first, one.what) for one in here.findings] == [
        (0, "the signature does not verify"), (4, "the signature does not verify"),
        (1, "it was signed with a key that nobody had"), (3, "it was signed with a key that nobody had"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["public/checkpoint", "public/tile/0/000.p/*", "public/tile/entries/*/*", SEGMENT])
def test_damage_of_the_record_is_named_alike_and_first_whether_checked_before_or_beside(directory, monkeypatch, name):
    path = next(iter(sorted((directory / "record").glob(name))))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    before = verify(directory)
    monkeypatch.setattr(verify_module, "READ_AHEAD_FROM", 1)
    assert verify(directory) == before
    assert before.findings[0].where == f"record/{path.relative_to(directory / 'record')}"


@pytest.mark.parametrize(("how", "why"), [(signal.SIGKILL, "has ended"), (signal.SIGSTOP, "it was stopped")])
def test_a_process_that_dies_or_is_stopped_is_an_error_and_no_end(directory, monkeypatch, how, why):
    monkeypatch.setattr(pipes, "STOPPED_SECONDS", 0.5)
    with ReadAhead(Request(str(directory), 0, size_of(directory)), rulebook().kinds) as ahead:
        ahead._beside.process.send_signal(how)
        with pytest.raises(OSError, match=why):
            list(ahead.parts())


DEEP = b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
CLAIMS = b'{"net":"n","iss":"a","kid":"k","nonce":1,"exp":1,"kind":"contracts.propose","body":{"circle":%b}}' % DEEP


@pytest.mark.parametrize("forged", [DEEP, CLAIMS])
def test_what_nests_deeply_in_a_record_that_was_forged_is_named_and_no_fault(forged):
    header = block_entry(Header("n", 1, 1, 1, 1, 0, ""))
    fact = fact_entry("ok", HEADER + b"." + sdjwt.b64(forged) + b"." + sdjwt.b64(bytes(64)))
    leaves = [header, fact] if forged is CLAIMS else [b"hanse/1 block\nok\n" + forged]
    with pytest.raises(ReplayFault) as caught:
        list(blocks(iter(leaves), 7, rulebook().kinds, None))
    assert caught.value.position == 6 + len(leaves)
