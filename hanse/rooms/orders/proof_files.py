"""The files of a proof of delivery, a drawn signature and a photograph, as every door takes them.

What a file was called when it was sent is told to nobody: it is kept under its SHA-256, and named for what it is.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, TypeVar

from litestar import Request
from litestar.datastructures import UploadFile
from msgspec import Struct
from msgspec.structs import replace

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import require
from hanse.node.desk import FILE_BYTES_MAX, Desk

PNG_BYTES_MAX = 300_000
PNG = b"\x89PNG\r\n\x1a\n"
PHOTOS = (b"\xff\xd8\xff", PNG, b"RIFF")
"""How photographs begin that a telephone takes: JPEG, PNG, WebP."""

Half = TypeVar("Half", bound=Fact)
"""One side's half of a proof of delivery: `orders.hand_over` or `orders.receive`."""


async def filled_in(request: Request[Any, Any, Any]) -> tuple[dict[str, str], bytes, str]:
    """(fields, a file's bytes, its name) of a form with a file; of one that is too large a byte too many."""
    given = await request.form()
    form = {name: value for name, value in given.multi_items() if isinstance(value, str)}
    upload = given.get("file")
    if isinstance(upload, UploadFile) and upload.filename:
        return form, await upload.read(FILE_BYTES_MAX + 1), upload.filename
    return form, b"", ""


def signature_bytes(given: str) -> bytes:
    """The PNG of a data address, b"" for none. Refuses: form.bad_signature (no PNG, or over 300 kB).

    >>> signature_bytes("")
    b''
    """
    if not given:
        return b""
    head, _, body = given.partition(",")
    try:
        data = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if head != "data:image/png;base64":
        data = b""
    return drawn_bytes(data, next="clear it, and sign again")


def drawn_bytes(data: bytes, *, next: str) -> bytes:
    """A drawn signature as a PNG. Refuses: form.bad_signature (no PNG, or over 300 kB)."""
    good = data.startswith(PNG) and len(data) <= PNG_BYTES_MAX
    require(good, "form.bad_signature", "the signature could not be read", expected="a PNG, at most 300 kB", next=next)
    return data


def photo_bytes(data: bytes) -> bytes:
    """A photograph as it was sent, b"" for none. Refuses: form.bad_photo.

    >>> photo_bytes(b"")
    b''
    """
    require(not data or data.startswith(PHOTOS), "form.bad_photo", "this is no photograph", next="take another one")
    return data


class ProofFiles(Struct, frozen=True):
    """What was drawn and photographed at a delivery; b"" for none."""

    drawn: bytes = b""
    taken: bytes = b""

    def kept(self, desk: Desk, fact: Half) -> Half:
        """The hand-over or receipt with its files. Refuses, in order: desk.not_permitted, desk.file_too_large."""
        desk.check(fact)
        files = {"signature_hash": self.drawn, "photo_hash": self.taken}
        return replace(fact, **{field: desk.keep_file(data) for field, data in files.items() if data})


def files_of(form: Mapping[str, Any], photo: bytes) -> ProofFiles:
    """The files that a form brought. Refuses, in order: form.bad_signature, form.bad_photo.

    Args:
        form: its fields, `signature` among them as a data address. photo: the bytes of its file, b"" for none.
    """
    return ProofFiles(signature_bytes(str(form.get("signature", ""))), photo_bytes(photo))
