"""Signed batches: one signature over the root of many facts' bytes, and each fact's proof that it is covered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec

from hanse.kernel.entries import BatchProof, BatchStatement, batch_root
from hanse.kernel.facts import BATCH_HEADER, Signed
from hanse.kernel.refusal import Refused
from hanse.standards import sdjwt

BATCH_FACTS_MAX = 10_000
_statement = msgspec.json.Decoder(BatchStatement).decode


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
    jwt = signed.jwt
    if signed.batch is not None:
        if signed.fact.single:
            raise Refused("fact.single_only", "a fact that binds money is signed singly", got=signed.envelope.kind)
        jwt = signed.batch.statement
        _check_covered(signed, jwt)
    message, _, signature = jwt.rpartition(b".")
    try:
        return message, sdjwt.unb64(signature)
    except ValueError:
        raise Refused("fact.bad_signature", "the signature is not base64url") from None


@lru_cache(maxsize=64)
def _read_statement(jwt: bytes) -> BatchStatement:
    """A statement, read once for all facts that it covers. Refuses: fact.bad_batch."""
    parts = jwt.split(b".")
    try:
        if len(parts) != 3 or parts[0] != BATCH_HEADER:
            raise ValueError("its header is not a batch's")
        return _statement(sdjwt.unb64(parts[1]))
    except (ValueError, msgspec.DecodeError) as error:
        raise Refused("fact.bad_batch", f"the batch's statement does not read: {error}") from None


def _check_covered(signed: Signed, statement_jwt: bytes) -> None:
    said = _read_statement(statement_jwt)
    envelope = signed.envelope
    if (said.net, said.iss, said.kid) != (envelope.net, envelope.iss, envelope.kid):
        raise Refused("fact.bad_batch", "the batch was signed for another network, issuer or key")
    if not 1 <= said.size <= BATCH_FACTS_MAX:
        raise Refused("fact.bad_batch", "a batch has 1 to 10,000 facts", got=said.size)
    if sdjwt.b64(batch_root(signed.jwt, signed.batch, said.size)).decode() != said.root:
        raise Refused("fact.bad_batch_path", "the fact is not in the batch that was signed")
