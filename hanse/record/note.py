"""Signed notes (C2SP signed-note), checkpoints (C2SP tlog-checkpoint) and cosignatures (C2SP tlog-cosignature, v1).

A *note* is text ending in a newline, a blank line, and signature lines. A key is known by its name and a four-byte *key
ID*; the text form of a public key is a *vkey*, ``<name>+<key ID>+<base64(type || key)>``. Two types of key are used:
1, which signs the text (logs), and 4, which signs a time and the text (witnesses). Both are Ed25519, verified by
`ed25519`.

Parsing is strict: one text has one form, so a changed byte never parses to what it was.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from . import ed25519
from .merkle import HASH_BYTES

LOG_KEY = 1
WITNESS_KEY = 4
NOTE_BYTES_MAX = 1_000_000
SIGNATURES_MAX = 100
_DASH = "\u2014 "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class NoteError(ValueError):
    """A note, key or checkpoint is not of its form, or a signature on it does not hold."""


def decode_base64(text: str) -> bytes:
    """Standard base64 in its one canonical form. Raises: `NoteError`."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if base64.b64encode(data).decode() != text:
        raise NoteError("not canonical base64")
    return data


def encode_base64(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode()


def decode_number(text: str) -> int:
    """A decimal size without leading zeroes, below 2**63. Raises: `NoteError`."""
    if not _NUMBER.fullmatch(text) or (number := int(text)) >= 1 << 63:
        raise NoteError(f"{text[:20]!r} is not a size")
    return number


def _check_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() for c in name) or _CONTROL.search(name):
        raise NoteError("a key name is empty, or has a space, plus or control character")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with a name. kind: `LOG_KEY` or `WITNESS_KEY`."""

    name: str
    public_key: bytes
    kind: int = LOG_KEY

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.kind not in (LOG_KEY, WITNESS_KEY):
            raise NoteError(f"keys of type {self.kind} are not known here")
        if len(self.public_key) != ed25519.PUBLIC_KEY_BYTES:
            raise NoteError("an Ed25519 public key has 32 bytes")

    @property
    def key_id(self) -> bytes:
        """``SHA-256(name || newline || type || key)[:4]`` (signed-note, "Signatures")."""
        return sha256(b"%s\n%c%s" % (self.name.encode(), self.kind, self.public_key)).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.kind]) + self.public_key)}"

    @classmethod
    def parse(cls, vkey: str) -> VerifierKey:
        """The key from its text form. Raises: `NoteError`, also where the key ID is not that of the key.

        >>> VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").name
        'PeterNeumann'
        """
        name, _, rest = vkey.partition("+")
        key_id, _, encoded = rest.partition("+")
        data = decode_base64(encoded)
        key = cls(name, data[1:], data[0] if data else 0)
        if key.key_id.hex() != key_id:
            raise NoteError("the key ID is not that of the key")
        return key


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature under a note: who (name and key ID), and the bytes, not verified."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}\n"

    @classmethod
    def parse(cls, line: str) -> SignatureLine:
        """From its line, without the newline. Raises: `NoteError`."""
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != _DASH[0]:
            raise NoteError("not a signature line")
        _check_name(parts[1])
        data = decode_base64(parts[2])
        if len(data) < 5:
            raise NoteError("a signature is too short")
        return cls(parts[1], data[:4], data[4:])

    def verify(self, text: str, key: VerifierKey) -> bool:
        """Whether this is the signature of the text by that key."""
        if (self.name, self.key_id) != (key.name, key.key_id):
            return False
        if key.kind == LOG_KEY:
            return ed25519.verify(key.public_key, text.encode(), self.signature)
        if len(self.signature) != 8 + ed25519.SIGNATURE_BYTES or self.signature[0] & 0x80:
            return False
        return ed25519.verify(key.public_key, _cosigned(text, self.time_s), self.signature[8:])

    @property
    def time_s(self) -> int:
        """The time of a witness signature, in seconds since 1970."""
        return int.from_bytes(self.signature[:8], "big")


def _cosigned(text: str, time_s: int) -> bytes:
    """What a witness signs (tlog-cosignature, "Ed25519 signed message")."""
    return b"cosignature/v1\ntime %d\n%s" % (time_s, text.encode())


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with a name. kind: `LOG_KEY` signs notes, `WITNESS_KEY` cosigns checkpoints at a time."""

    name: str
    seed: bytes
    kind: int = LOG_KEY

    def __repr__(self) -> str:
        return f"Signer({self.key})"

    @property
    def key(self) -> VerifierKey:
        """The public key that belongs to it."""
        return VerifierKey(self.name, ed25519.public_key_of(self.seed), self.kind)

    def sign(self, text: str, time_s: int | None = None) -> SignatureLine:
        """Sign a text; a witness needs the time, seconds since 1970, and a log takes none. Raises: ValueError."""
        key = self.key
        if key.kind == LOG_KEY:
            if time_s is not None:
                raise ValueError("a log key signs no time")
            return SignatureLine(key.name, key.key_id, ed25519.sign(self.seed, text.encode()))
        if time_s is None or not 0 <= time_s < 1 << 63:
            raise ValueError("a witness key signs a time")
        signature = struct.pack(">Q", time_s) + ed25519.sign(self.seed, _cosigned(text, time_s))
        return SignatureLine(key.name, key.key_id, signature)

    def secret_text(self) -> str:
        """The private text form, ``PRIVATE+KEY+<name>+<key ID>+<base64(type || seed)>``. Keep it secret."""
        return f"PRIVATE+KEY+{self.name}+{self.key.key_id.hex()}+{encode_base64(bytes([self.kind]) + self.seed)}"

    @classmethod
    def parse(cls, secret_text: str) -> Signer:
        """From its private text form. Raises: `NoteError`, which does not repeat the text."""
        parts = secret_text.split("+", 4)
        if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
            raise NoteError("not a private key")
        data = decode_base64(parts[4])
        if len(data) != 1 + ed25519.SEED_BYTES or data[0] not in (LOG_KEY, WITNESS_KEY):
            raise NoteError("not a private Ed25519 key")
        signer = cls(parts[2], data[1:], data[0])
        if signer.key.key_id.hex() != parts[3]:
            raise NoteError("the key ID is not that of the key")
        return signer


@dataclass(frozen=True, slots=True)
class Note:
    """A text with signatures that nobody has verified yet."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def __bytes__(self) -> bytes:
        return (self.text + "\n" + "".join(map(str, self.signatures))).encode()

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """From its bytes. Raises: `NoteError` (size, UTF-8, control characters, form)."""
        if len(data) > NOTE_BYTES_MAX:
            raise NoteError("the note is too large")
        try:
            whole = data.decode()
        except UnicodeDecodeError:
            raise NoteError("the note is not UTF-8") from None
        if _CONTROL.search(whole):
            raise NoteError("the note has a control character")
        text, blank, lines = whole.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise NoteError("the note has no signatures")
        signatures = lines[:-1].split("\n")
        if len(signatures) > SIGNATURES_MAX:
            raise NoteError("the note has too many signatures")
        return cls(text + "\n", tuple(map(SignatureLine.parse, signatures)))

    def verified(self, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
        """The given keys that signed, in the order of the signatures; other signatures are ignored.

        Raises: `NoteError` where a signature by one of the keys does not hold, or none of the keys signed.
        """
        known = {(key.name, key.key_id): key for key in keys}
        found: list[VerifierKey] = []
        for line in self.signatures:
            key = known.get((line.name, line.key_id))
            if key is None:
                continue
            if not line.verify(self.text, key):
                raise NoteError(f"the signature of {key.name} does not hold")
            if key not in found:
                found.append(key)
        if not found:
            raise NoteError("no signature by a known key")
        return found


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's statement: the tree of my first `size` entries has this root.

    size: 0 to 2**63 - 1 entries. root: 32 bytes. extensions: further lines, each not empty.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lines = (self.origin, *self.extensions)
        if not all(lines) or any("\n" in line or _CONTROL.search(line) for line in lines):
            raise NoteError("an empty line or control character in a checkpoint")
        if not 0 <= self.size < 1 << 63 or len(self.root) != HASH_BYTES:
            raise NoteError("the size or root of a checkpoint is out of range")

    @property
    def text(self) -> str:
        """The text that is signed."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, encode_base64(self.root), *self.extensions))

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """From the text of a note. Raises: `NoteError`."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1]:
            raise NoteError("a checkpoint has at least three lines")
        return cls(lines[0], decode_number(lines[1]), decode_base64(lines[2]), tuple(lines[3:-1]))

    def signed(self, signers: Sequence[Signer]) -> bytes:
        """The checkpoint as a note, signed by each of the log's keys."""
        return bytes(Note(self.text, tuple(signer.sign(self.text) for signer in signers)))


def open_checkpoint(data: bytes, keys: Iterable[VerifierKey], origin: str) -> tuple[Checkpoint, list[VerifierKey]]:
    """A checkpoint of one log and the keys, of those given, that signed it.

    Raises, in order: `NoteError` (form of the note, signature, form of the checkpoint, another origin).
    """
    note = Note.parse(data)
    found = note.verified(keys)
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != origin:
        raise NoteError(f"a checkpoint of {checkpoint.origin!r}, not of {origin!r}")
    return checkpoint, found
