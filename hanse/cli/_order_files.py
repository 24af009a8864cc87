"""Files of an order by command: sent with a message or a proof of delivery, listed, and saved."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from hanse.cli._desk import Party, desk_of
from hanse.cli._order_forms import Form, Key, Order, sign, the_order
from hanse.cli.shell import HERE, Answer, Data, Positive, table
from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.node.desk import FILE_BYTES_MAX, Desk
from hanse.node.node import Node
from hanse.rooms.orders.pages_messages import subject_of, written
from hanse.rooms.orders.private_rows import Message
from hanse.rooms.orders.proof_files import ProofFiles, drawn_bytes, photo_bytes
from hanse.rooms.orders.queries import OrderPage
from hanse.rooms.parties.queries import party_name

Signature = Annotated[Path | None, Parameter(name="--signature", help="A drawn signature: a PNG, at most 300 kB.")]
Photo = Annotated[Path | None, Parameter(name="--photo", help="A photograph: JPEG, PNG or WebP, at most 10 MB.")]
File = Annotated[Path | None, Parameter(name="--file", help="A file, at most 10 MB.")]
Words = Annotated[str, Parameter(help="The text; not needed with a file.")]
Save = Annotated[
    Path | None, Parameter(name="--save", help="Write the files into this directory, those of deliveries too.")
]


def read(path: Path | None) -> bytes:
    """A file's bytes, b"" for none; of one that is too large a byte too many. Refuses: order.empty_file."""
    if path is None:
        return b""
    with path.open("rb") as file:
        data = file.read(FILE_BYTES_MAX + 1)
    if not data:
        raise Refused("order.empty_file", "this file is empty", got=path, next="name another one")
    return data


class Proof(ProofFiles, frozen=True):
    """The files of a call."""

    @property
    def said(self) -> Form:
        """By which a key knows its call: what the files hold, not where they lie."""
        return {"signature": _digest(self.drawn), "photo": _digest(self.taken)}


def proof(signature: Path | None, photo: Path | None) -> Proof:
    """Refuses, in order: as `read`, form.bad_signature, form.bad_photo."""
    drawn, taken = read(signature), read(photo)
    if drawn:
        drawn_bytes(drawn, next="save it as a PNG")
    return Proof(drawn, photo_bytes(taken))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if data else ""


def message(
    order: Order, words: Words = "", *, file: File = None, shipment: str = "", line: Positive | None = None,
    key: Key = "", party: Party = "", data: Data = HERE,
) -> Answer:  # fmt: skip
    """Write to the other side about an order, with a file if there is one.

    Parameters
    ----------
    shipment
        About this delivery.
    line
        About the item of this line.
    """
    sent = read(file)

    def make(desk: Desk, page: OrderPage) -> Fact:
        about = subject_of(page, f"s:{shipment}" if shipment else "")
        if line is not None:
            about |= subject_of(page, f"i:{item_of_line(page, line)}")
        name = file.name if file else ""
        return written(desk, page.order.circle, words.strip(), sent, name, order=page.order.order_id, **about)

    said = {"words": words, "file": _digest(sent), "shipment": shipment, "line": line}
    return sign("message", "Sent.", order, said, make, key=key, party=party, data=data)


def item_of_line(page: OrderPage, line: int) -> str:
    """Refuses: order.not_a_line."""
    items = {shown.balance.line: shown.terms.item for shown in page.lines}
    if line not in items:
        raise Refused("order.not_a_line", "the order has no such line", got=line,
                      expected=f"lines {', '.join(map(str, list(items)[:20]))}")  # fmt: skip
    return items[line]


class FileOf(Struct, frozen=True):
    """A file of an order: the message or delivery that names it, its name, its SHA-256.

    saved: where it was written to, "" where it was not.
    """

    of: str
    name: str
    file_hash: str
    saved: str = ""


class Talk(Struct, frozen=True):
    """An order's messages, oldest first, and its files."""

    order: str
    messages: tuple[Message, ...]
    files: tuple[FileOf, ...]


def messages(order: Order, *, save: Save = None, party: Party = "", data: Data = HERE) -> Answer:
    """Read what was written on an order, and save its files."""
    with Node(data, helper=False) as node:
        desk = desk_of(node, party)
        view, page = desk.view, the_order(desk.view, order)
        files = [_saved(desk, one, save) if save else one for one in files_of(page)]
        rows = [
            (_when(one.at), party_name(view, one.author), _about(page, one), one.text, one.file_name)
            for one in page.messages
        ]
    talk = Talk(page.order.order_id, page.messages, tuple(files))
    told: list[Table | str] = [table("at", "who", "about", "text", "file", rows=rows)] if rows else ["no message yet"]
    told += [f"saved {one.saved}" if one.saved else f"not here: {one.name} ({one.of})" for one in files if save]
    return Answer(talk, Group(*(escape(one) if isinstance(one, str) else one for one in told)))


def _when(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _about(page: OrderPage, one: Message) -> str:
    """The delivery or the line that a message is about, "" for the order."""
    lines = [f"line {shown.balance.line}" for shown in page.lines if one.item and shown.terms.item == one.item]
    return one.shipment or ", ".join(lines)


def files_of(page: OrderPage) -> list[FileOf]:
    """The files that an order's messages, hand-overs and receipts name, each once for each name."""
    found = [FileOf(one.message, _safe(one.file_name), one.file_hash) for one in page.messages if one.file_hash]
    for shown in page.shipments:
        terms, name = shown.terms, shown.shipment.shipment
        if terms is None:
            continue
        proofs = {
            "hand-over-signature.png": terms.handed_paper_hash,
            "hand-over-photo": terms.handed_photo_hash,
            "receipt-signature.png": terms.paper_hash,
            "receipt-photo": terms.photo_hash,
        }
        found += [FileOf(name, _safe(f"{name}-{what}"), digest) for what, digest in proofs.items() if digest]
    return found


def _safe(name: str) -> str:
    """A name that the other side gave a file, as one that cannot lead out of a directory.

    >>> _safe("../../etc/passwd"), _safe("C:\\\\drawing 7.pdf"), _safe(".."), _safe("Lieferschein ä.pdf")
    ('passwd', 'drawing 7.pdf', 'file', 'Lieferschein ä.pdf')
    """
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^\w .,()+-]", "_", last).strip(" .")[:120] or "file"


def _saved(desk: Desk, one: FileOf, folder: Path) -> FileOf:
    """The file, written into the folder; under another name where this one is another file's."""
    try:
        content = desk.file(one.file_hash)
    except Refused:
        return one  # the other side's node keeps it
    folder.mkdir(parents=True, exist_ok=True)
    name = Path(one.name if Path(one.name).suffix else one.name + _suffix(content))
    for path in (folder / name, folder / f"{name.stem}-{one.file_hash[:8]}{name.suffix}"):
        if path.exists() and path.read_bytes() == content:
            break
        if not path.exists():
            path.write_bytes(content)
            break
    return replace(one, saved=str(path))


def _suffix(content: bytes) -> str:
    """How a photograph's file ends, by how it begins."""
    kinds = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"RIFF": ".webp"}
    return next((suffix for begin, suffix in kinds.items() if content.startswith(begin)), "")
