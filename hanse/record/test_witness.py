"""A witness against the published test of transparency-dev, and each refusal in its order."""

import pytest

from .merkle import Frontier, leaf_hashes
from .note import WITNESS_KEY, Checkpoint, Note, NoteError, Signer, VerifierKey
from .witness import SIZE_TYPE, Seen, add_checkpoint, parse_answer, parse_request, write_request

# transparency-dev/witness, internal/witness/witness_test.go (Apache-2.0)
MONKEYS = VerifierKey.parse("monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT")
BANANAS = VerifierKey.parse("bananas+cf639f13+AaPjhFnPCQnid/Ql32KWhmh+uk72FVRfK+2DLmO3BI3M")
ORIGIN = "Log Checkpoint v0"
FIVE = (
    "Log Checkpoint v0\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\n"
    "— monkeys 202ffu1mJ0hrPIodgN0YQV7uZk9CAEzh+hOQyRjkf9CDY1IOr/oiH6WkzGIy7aEF0rw/9SHiZztjDiTOb53i6CE/zQ8=\n"
).encode()
EIGHT = (
    "Log Checkpoint v0\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n"
    "— monkeys 202ffm1n5/h7F3x0D6CCysNnqiL2WBu7iubseJggohhX6JBbeLts5NWKY/g0r6yNRVN/k+QJJx1Sii0MzbMUTnmO+wA=\n"
).encode()
FROG = (
    "Frog Checkpoint v0\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n"
    "— monkeys 202ffgCVdfZmrroccRdQoEfn2TfmXHez4R++GvVrFvFiaI85O12aTV5GpNOvWsuQW77eNxQ2b7ggYeglzF/QSy/EBws=\n"
).encode()
PROOF = [
    bytes.fromhex(step)
    for step in (
        "b9e1d62618f7fee8034e4c5010f727ab24d8e4705cb296c374bf2025a87a10d2",
        "aac66cd7a79ce4012d80762fe8eec3a77f22d1ca4145c3f4cee022e7efcd599d",
        "89d0f753f66a290c483b39cd5e9eafb12021293395fad3d4a2ad053cfbcfdc9e",
        "29e40bb79c966f4c6fe96aff6f30acfce5f3e8d84c02215175d6e018a5dee833",
    )
]
WITNESS = Signer("example.com/witness", b"\x09" * 32, WITNESS_KEY)
LOGS = {ORIGIN: [MONKEYS]}
AT_FIVE = {ORIGIN: Seen(5, bytes.fromhex("e35b268c1522014ef412d2a54fa94838862d453631617b0307e5c77dcbeefc11"))}


def ask(request, latest, logs=LOGS):
    return add_checkpoint(request, logs, latest, WITNESS, 1_700_000_000)


def test_a_first_checkpoint_and_its_published_extension_are_cosigned():
    first = ask(write_request(0, [], FIVE), {})
    assert (first.status, first.store) == (200, (ORIGIN, AT_FIVE[ORIGIN]))
    second = ask(write_request(5, PROOF, EIGHT), dict([first.store]))
    assert second.status == 200
    assert second.store[1].size == 8
    (line,) = parse_answer(second.body.encode())
    assert line.verify(Note.parse(EIGHT).text, WITNESS.key)
    assert line.time_s == 1_700_000_000


@pytest.mark.parametrize(
    ("request_", "latest", "status"),
    [
        (b"", {}, 400),
        (b"new 0\n\n" + FIVE, {}, 400),
        (b"old 00\n\n" + FIVE, {}, 400),
        (write_request(0, [b"\0" * 32] * 64, FIVE), {}, 400),
        (write_request(0, [], b"no note\n"), {}, 400),
        (write_request(5, PROOF, FROG), AT_FIVE, 404),
        (write_request(0, [], FIVE.replace(b"\n5\n", b"\n6\n")), {}, 403),
        (write_request(8, [], FIVE), AT_FIVE, 400),
        (write_request(0, [], EIGHT), AT_FIVE, 409),
        (write_request(4, PROOF, EIGHT), AT_FIVE, 409),
        (write_request(5, [], FIVE), {ORIGIN: Seen(5, b"\1" * 32)}, 409),
        (write_request(5, PROOF[:-1], EIGHT), AT_FIVE, 422),
        (write_request(5, [PROOF[0], *PROOF[2:], PROOF[1]], EIGHT), AT_FIVE, 422),
        (write_request(5, [b"\xaa\xaa"] * 4, EIGHT), AT_FIVE, 422),
        (write_request(0, PROOF, FIVE), {}, 422),
        (write_request(5, [], FIVE), AT_FIVE, 200),
    ],
)
def test_answers_in_the_order_of_the_specification(request_, latest, status):
    answer = ask(request_, latest)
    assert answer.status == status
    assert (answer.store is None) == (status != 200)
    if status == 409:
        assert answer.content_type == SIZE_TYPE
        assert answer.body == f"{latest[ORIGIN].size}\n"


def test_a_checkpoint_signed_by_an_unknown_key_only_is_forbidden():
    assert ask(write_request(0, [], FIVE), {}, {ORIGIN: [BANANAS]}).status == 403


def test_a_fork_is_not_cosigned_with_any_proof():
    log = Signer("example.com/log", b"\x01" * 32)
    edge, fork = Frontier(), Frontier()
    edge.append(leaf_hashes([b"a", b"b"]))
    fork.append(leaf_hashes([b"a", b"x", b"c"]))
    old = Seen(2, edge.root())
    data = Checkpoint("example.com/log", 3, fork.root()).signed([log])
    leaves = leaf_hashes([b"a", b"b", b"c", b"x"])
    for proof in ([], leaves[2:3], [*leaves[2:3], leaves[3]]):
        answer = ask(write_request(2, proof, data), {"example.com/log": old}, {"example.com/log": [log.key]})
        assert answer.status == 422


def test_requests_are_read_as_they_are_written():
    old, proof, note = parse_request(write_request(5, PROOF, EIGHT))
    assert (old, proof, bytes(note)) == (5, PROOF, EIGHT)


def test_an_answer_that_is_no_signature_line_is_refused():
    for body in (b"", b"\xff\n", b"5\n", FIVE):
        with pytest.raises(NoteError):
            parse_answer(body)
