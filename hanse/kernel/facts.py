"""Facts: what parties sign, and how a typed struct becomes an SD-JWT.

On the wire the payload is `{net, iss, kid, nonce, exp, kind, body}`; commercial and personal fields stand in `body`
as `_sd` digests in the object that they belong to. The bytes that were signed are the bytes that are kept. The way
back is `hanse.kernel.reading`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, Raw, Struct

from hanse.standards import sdjwt

T = TypeVar("T")
WITHHELD: Any = UNSET
"""Default of every commercial and personal field: what a reader without the disclosure sees."""

if TYPE_CHECKING:
    Given: TypeAlias = T | Any
    Commercial = Annotated[T | Any, "commercial"]
    Personal = Annotated[T | Any, "personal"]
else:
    Given = Annotated[T, "given"]
    Commercial = Annotated[T | msgspec.UnsetType, Meta(extra={"visibility": "commercial"})]
    Personal = Annotated[T | msgspec.UnsetType, Meta(extra={"visibility": "personal"})]

# Given: what a function takes that rules call with a private field as it was given, UNSET where it was withheld. To a
# compiled function another type is a promise that it checks at the door, and an interpreted one would go on.

Each = Annotated[int, Meta(ge=0, le=10**15)]
"""A quantity in base units."""
Minor = Annotated[int, Meta(ge=-(10**17), le=10**17)]
"""Money in minor units of the currency named beside it."""
Seconds = Annotated[int, Meta(ge=0, le=2**40)]
"""UTC seconds since 1970, or a duration in seconds."""
END = r"$(?!\n)"
"""The end of a text in a pattern: `$` alone would let one more line through."""
Id = Annotated[str, Meta(min_length=1, max_length=80, pattern=rf"^[A-Za-z0-9][A-Za-z0-9._:/+-]*{END}")]
"""An identifier that a client chose; unique within its table."""
OptionalId = Annotated[str, Meta(max_length=80, pattern=rf"^([A-Za-z0-9][A-Za-z0-9._:/+-]*)?{END}")]
"""An `Id`, or "" for none."""
Hash = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{64}}{END}")]
"""SHA-256 in hexadecimal."""
OptionalHash = Annotated[str, Meta(pattern=rf"^([0-9a-f]{{64}})?{END}")]
Text = Annotated[str, Meta(max_length=400)]
"""One line of plain text for people."""
LongText = Annotated[str, Meta(max_length=8000)]
Currency = Annotated[str, Meta(pattern=rf"^[A-Z]{{3}}{END}")]

LEAF_BYTES_MAX = 65_000
NONCE_MAX = 2**62
WINDOW_SECONDS_MAX = 7 * 86_400
TYP = "hanse-fact+sd-jwt"
HEADER = sdjwt.header(TYP)
ERASED = b"!"
"""A stored disclosure that starts so is the digest of a personal field whose disclosure was erased or never sent."""
BATCH_HEADER = sdjwt.header("hanse-batch+jwt")


Digest = Annotated[str, Meta(min_length=43, max_length=43, pattern=rf"^[A-Za-z0-9_-]+{END}")]
"""SHA-256, base64url (RFC 9901, 4.2.4.1)."""
Digests = Annotated[list[Digest], Meta(min_length=1, max_length=100)]


class Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A struct inside a fact: an order line, an address."""

    if TYPE_CHECKING:
        sd_: Any = UNSET
    else:
        sd_: Digests | msgspec.UnsetType = msgspec.field(name="_sd", default=UNSET)

    # Subclasses declare their fields after this one, so all structs of facts are built by keyword.
    def __init_subclass__(cls, **kw: Any) -> None:
        super().__init_subclass__(**kw)


class Fact(Part, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base of all facts. A concrete fact sets `kind`; one with private fields has a field `circle`.

    Class attributes:
        kind: `room.verb`, the name on the wire.
        introduces: the body has `public_key`, and the fact is signed with that very key (founding, joining).
        single: must be signed singly, never in a batch (facts that bind money).
    """

    kind: ClassVar[str] = ""
    introduces: ClassVar[bool] = False
    single: ClassVar[bool] = False


class Envelope(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """The payload of a fact's SD-JWT.

    Attributes:
        net: the network's id, so that a fact of one network is nothing in another.
        iss: party or alias that speaks; kid: the key that signs (its thumbprint).
        nonce: unique per key, 0 .. 2^62; rising numbers keep the retry index fast.
        exp: UTC seconds after which the fact may no longer be ordered.
    """

    net: str
    iss: str
    kid: str
    nonce: int
    exp: int
    kind: str
    body: Raw


class Layout(Struct, frozen=True):
    """Where a struct's private fields stand: own names, and children (field, is_list, layout)."""

    private: dict[str, str]
    children: tuple[tuple[str, bool, Layout], ...]

    @property
    def empty(self) -> bool:
        return not self.private and not self.children


def _strip(hint: Any) -> tuple[Any, str]:
    """The bare type under Annotated, optional and unset, and its visibility."""
    visibility = "public"
    while get_origin(hint) is Annotated:
        for meta in hint.__metadata__:
            if isinstance(meta, Meta) and meta.extra and "visibility" in meta.extra:
                visibility = meta.extra["visibility"]
        hint = get_args(hint)[0]
    options = [a for a in get_args(hint) if a not in (type(None), msgspec.UnsetType)]
    if options and get_origin(hint) not in (list, tuple, dict) and len(options) == 1:
        return _strip(options[0])[0], visibility
    return hint, visibility


@cache
def layout(cls: type) -> Layout:
    """The private fields of a fact's struct, all depths."""
    private: dict[str, str] = {}
    children: list[tuple[str, bool, Layout]] = []
    for name, hint in get_type_hints(cls, include_extras=True).items():
        if name in ("sd_", "kind", "introduces", "single") or get_origin(hint) is ClassVar:
            continue
        bare, visibility = _strip(hint)
        if visibility != "public":
            private[name] = visibility
            continue
        is_list = get_origin(bare) in (list, tuple)
        inner = _strip(get_args(bare)[0])[0] if is_list else bare
        if isinstance(inner, type) and issubclass(inner, Part):
            below = layout(inner)
            if not below.empty:
                children.append((name, is_list, below))
    return Layout(private, tuple(children))


def thumbprint(public_key: bytes) -> str:
    """The kid of a key: the first 128 bits of its SHA-256, base64url."""
    return sdjwt.b64(hashlib.sha256(public_key).digest()[:16]).decode()


def _seal(body: dict[str, Any], where: Layout, salt: Callable[[], str], out: list[bytes]) -> None:
    """Move the private fields of `body` into `out` as disclosures, leaving their digests."""
    digests = []
    for name in where.private:
        if name in body:
            disclosure = sdjwt.disclose(salt(), name, body.pop(name))
            out.append(disclosure)
            digests.append(sdjwt.digest(disclosure))
    if digests:
        body["_sd"] = sorted(digests)
    for name, is_list, below in where.children:
        if name in body:
            for child in body[name] if is_list else (body[name],):
                _seal(child, below, salt, out)


_json = msgspec.json.Encoder().encode


@cache
def body_decoder(cls: type[Fact]) -> Callable[[Raw | bytes], Fact]:
    return msgspec.json.Decoder(cls).decode


def payload(
    fact: Fact, *, net: str, iss: str, kid: str, nonce: int, exp: int, salt: Callable[[], str]
) -> tuple[bytes, list[bytes]]:
    """The payload's JSON bytes and the disclosures of a fact."""
    body = msgspec.to_builtins(fact)
    disclosures: list[bytes] = []
    _seal(body, layout(type(fact)), salt, disclosures)
    envelope = {"net": net, "iss": iss, "kid": kid, "nonce": nonce, "exp": exp, "kind": fact.kind, "body": body}
    return _json(envelope), disclosures


class Signed(Struct, gc=False):
    """A fact as submitted: its exact bytes, and what was read from them.

    Attributes:
        jwt: `header.payload.signature`, or `header.payload` in a batch.
        batch: the proof that a batch's signature covers this fact, or None.
        fact: the public reading. full: with all disclosures, None where one is missing.
        hash: SHA-256 of the signed bytes: the fact's name in the retry index.
    """

    jwt: bytes
    disclosures: list[bytes]
    envelope: Envelope
    fact: Fact
    full: Fact | None
    batch: Any
    hash: bytes

    @property
    def kid(self) -> str:
        return self.envelope.kid


class Opened(Struct, frozen=True, gc=False, array_like=True):
    """A fact that reads, without its own bytes.

    Attributes:
        hash: SHA-256 of the signed bytes. net to kind: as in `Envelope`. body: the public body's JSON, as signed.
        full: the body's JSON with all disclosures; b"" where there are none, None where one is missing.
        digests: with `full`, of the struct and then of its parts, in order.
    """

    hash: bytes
    net: str
    iss: str
    kid: str
    nonce: int
    exp: int
    kind: str
    body: bytes
    full: bytes | None
    digests: list[list[str]] = []


class Waiting(Struct, frozen=True, gc=False):
    """A fact that was read in another process, until its turn comes: a tenth of the objects of a `Signed`. It brings no
    key of its own."""

    opened: Opened
    jwt: bytes
    disclosures: list[bytes]
    batch: Any

    @property
    def kid(self) -> str:
        return self.opened.kid


Admitted = Signed | Waiting
"""A fact that may be ordered."""
