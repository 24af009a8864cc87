"""Signed batches: one signature over the root of many facts' bytes, and each fact's proof that it is covered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from hanse.kernel.entries import BatchProof, BatchStatement
from hanse.kernel.facts import BATCH_HEADER, Signed
from hanse.kernel.refusal import Refused
from hanse.standards import sdjwt

BATCH_FACTS_MAX = 10_000
_statement: Final = msgspec.json.Decoder(BatchStatement).decode
_CLIMBED_MAX: Final = 10_000
_climbed: Final[dict[bytes, tuple[int, int, tuple[bytes, ...], str]]] = {}
"""Node -> (its place, the last place of its level, the path above it, the root that this leads to): facts of one batch
share most of their paths. What stands here depends on nothing else, so forgetting it costs time only."""


def _leaf(jwt: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + jwt).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def batch_tree(jwts: Sequence[bytes]) -> tuple[bytes, list[tuple[bytes, ...]]]:
    """Root and every fact's path of an RFC 6962 tree over facts' bytes, in one pass over the levels.

    A last node without a sibling rises unchanged, which is RFC 6962's tree for every size.
    """
    level = [_leaf(jwt) for jwt in jwts]
    paths: list[list[bytes]] = [[] for _ in jwts]
    width = 1
    while len(level) > 1:
        for i, path in enumerate(paths):
            sibling = (i // width) ^ 1
            if sibling < len(level):
                path.append(level[sibling])
        level = [_node(level[i], level[i + 1]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
        width *= 2
    return level[0], [tuple(path) for path in paths]


def prove_batch(
    net: str, iss: str, kid: str, root: bytes, paths: Sequence[tuple[bytes, ...]], sign: Callable[[bytes], bytes]
) -> list[BatchProof]:
    """The proofs of a batch's facts; `sign` turns the statement's JSON into its JWT."""
    text = msgspec.json.encode(BatchStatement(net, iss, kid, sdjwt.b64(root).decode(), len(paths)))
    statement = sign(text)
    return [BatchProof(statement, index, path) for index, path in enumerate(paths)]


def signed_part(signed: Signed) -> tuple[bytes, bytes]:
    """(message, signature) that a fact stands on: its own, or its batch's statement, to which its path must lead.

    Refuses, in order: fact.single_only, fact.bad_batch, fact.bad_batch_path, fact.bad_signature (not base64url).
    """
    batch: BatchProof | None = signed.batch
    if batch is None:
        message, signature = _parted(signed.jwt)
    else:
        if signed.fact.single:
            raise Refused("fact.single_only", "a fact that binds money is signed singly", got=signed.envelope.kind)
        said, message, signature = _read_statement(batch.statement)
        _check_covered(signed, batch, said)
    if signature is None:
        raise Refused("fact.bad_signature", "the signature is not base64url")
    return message, signature


def _parted(jwt: bytes) -> tuple[bytes, bytes | None]:
    """(what is signed, the signature); None where it is not base64url."""
    dot = jwt.rfind(b".")
    try:
        return jwt[: max(dot, 0)], sdjwt.unb64(jwt[dot + 1 :])
    except ValueError:
        return b"", None


@lru_cache(maxsize=64)
def _read_statement(jwt: bytes) -> tuple[BatchStatement, bytes, bytes | None]:
    """(statement, what is signed, signature as in `_parted`), read once for all facts that it covers. Refuses:
    fact.bad_batch."""
    parts = jwt.split(b".")
    try:
        if len(parts) != 3 or parts[0] != BATCH_HEADER:
            raise ValueError("its header is not a batch's")
        said: BatchStatement = _statement(sdjwt.unb64(parts[1]))
    except (ValueError, msgspec.DecodeError) as error:
        raise Refused("fact.bad_batch", f"the batch's statement does not read: {error}") from None
    message, signature = _parted(jwt)
    return said, message, signature


def _check_covered(signed: Signed, batch: BatchProof, said: BatchStatement) -> None:
    envelope = signed.envelope
    if said.net != envelope.net or said.iss != envelope.iss or said.kid != envelope.kid:
        raise Refused("fact.bad_batch", "the batch was signed for another network, issuer or key")
    if not 1 <= said.size <= BATCH_FACTS_MAX:
        raise Refused("fact.bad_batch", "a batch has 1 to 10,000 facts", got=said.size)
    if batch_root(signed.jwt, batch, said.size) != said.root:
        raise Refused("fact.bad_batch_path", "the fact is not in the batch that was signed")


def batch_root(jwt: bytes, proof: BatchProof, size: int) -> str:
    """The root that a fact's path leads to, base64url. Refuses: fact.bad_batch_path."""
    at, last, found = proof.index, size - 1, _leaf(jwt)
    if not 0 <= at <= last:
        raise Refused("fact.bad_batch_path", "the fact's place is outside the batch", got=at, expected=f"0 .. {last}")
    path, taken, root = proof.path, 0, ""
    passed: list[tuple[bytes, int, int, int]] = []
    while last:
        if at % 2 or at < last:
            if taken == len(path):
                raise Refused("fact.bad_batch_path", "the path is too short")
            sibling = path[taken]
            found = _node(sibling, found) if at % 2 else _node(found, sibling)
            taken += 1
        at, last = at // 2, last // 2
        known = _climbed.get(found)
        if known is not None and known[0] == at and known[1] == last and known[2] == path[taken:]:
            root, taken = known[3], len(path)
            break
        passed.append((found, at, last, taken))
    if taken < len(path):
        raise Refused("fact.bad_batch_path", "the path is too long")
    root = root or sdjwt.b64(found).decode()
    if len(_climbed) > _CLIMBED_MAX:
        _climbed.clear()
    for node, place, end, above in passed:
        _climbed[node] = (place, end, path[above:], root)
    return root
