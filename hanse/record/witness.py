"""A witness (C2SP tlog-witness): cosigns checkpoints of logs that it knows, and only what extends what it cosigned
before.

`add_checkpoint` is a function of the request and the stored state; whoever serves it over HTTP stores `Answer.store`
before answering, in one transaction with reading the latest, or a rollback could be cosigned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .merkle import ProofError, empty_root, verify_consistency
from .note import Checkpoint, Note, NoteError, SignatureLine, Signer, VerifierKey, decode_base64, decode_number
from .note import encode_base64 as encode

PROOF_LINES_MAX = 63
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Seen:
    """The latest checkpoint that a witness cosigned for one origin: its size, entries, and root, 32 bytes."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer, and what to store before answering: (origin, latest), or None."""

    status: int
    body: str
    content_type: str = TEXT_TYPE
    store: tuple[str, Seen] | None = None


def add_checkpoint(
    request: bytes,
    logs: Mapping[str, Sequence[VerifierKey]],
    latest: Mapping[str, Seen],
    signer: Signer,
    time_s: int,
) -> Answer:
    """Answer one ``POST /add-checkpoint``.

    Args:
        request: the body as it came.
        logs: the keys that are trusted, by origin.
        latest: what was cosigned last, by origin; none where nothing was.
        signer: a witness key. time_s: the time now, seconds since 1970.
    Answers, in order: 400 (form), 404 (unknown origin), 403 (no signature by a trusted key), 400 (old size above the
        new), 409 with the latest size (old size is not the latest), 409 (one size, two roots), 422 (proof), 200.
    Source: C2SP tlog-witness, "add-checkpoint".
    """
    try:
        old, proof, note = parse_request(request)
        checkpoint = Checkpoint.parse(note.text)
    except NoteError as error:
        return Answer(400, f"{error}\n")
    if checkpoint.origin not in logs:
        return Answer(404, "unknown origin\n")
    try:
        note.verified(logs[checkpoint.origin])
    except NoteError as error:
        return Answer(403, f"{error}\n")
    if old > checkpoint.size:
        return Answer(400, "the old size is above that of the checkpoint\n")
    seen = latest.get(checkpoint.origin, Seen(0, empty_root()))
    if old != seen.size:
        return Answer(409, f"{seen.size}\n", SIZE_TYPE)
    if old == checkpoint.size and checkpoint.root != seen.root:
        return Answer(409, f"{seen.size}\n", SIZE_TYPE)
    try:
        verify_consistency(old, checkpoint.size, seen.root, checkpoint.root, proof)
    except ProofError as error:
        return Answer(422, f"{error}\n")
    line = signer.sign(note.text, time_s)
    return Answer(200, str(line), TEXT_TYPE, (checkpoint.origin, Seen(checkpoint.size, checkpoint.root)))


def parse_request(request: bytes) -> tuple[int, list[bytes], Note]:
    """(old size, consistency proof, checkpoint as a note) of a request. Raises: `NoteError`."""
    head, blank, note = request.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise NoteError("the request is not of the form") from None
    if not blank or not first.startswith("old "):
        raise NoteError("the request does not start with an old size")
    if len(lines) > PROOF_LINES_MAX:
        raise NoteError("the proof is too long")
    return decode_number(first[4:]), [decode_base64(line) for line in lines], Note.parse(note)


def write_request(old: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The request that a log sends: it was at `old` entries when this witness last cosigned (0: never)."""
    lines = "".join(f"{encode(step)}\n" for step in proof)
    return f"old {old}\n{lines}\n".encode() + checkpoint


def parse_answer(body: bytes) -> list[SignatureLine]:
    """The signature lines of a witness's answer, to be verified by `Log.add_cosignatures`. Raises: `NoteError`."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise NoteError("the answer is not UTF-8") from None
    if not text.endswith("\n"):
        raise NoteError("the answer does not end in a newline")
    return [SignatureLine.parse(line) for line in text[:-1].split("\n")]
