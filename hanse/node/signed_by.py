"""Signatures of stored facts, each under the key that its kid names."""

from __future__ import annotations

from functools import lru_cache

from hanse.kernel.batches import signed_part
from hanse.kernel.facts import Signed, thumbprint
from hanse.kernel.refusal import Refused
from hanse.node.admission import introduced_key
from hanse.record import ed25519
from hanse.standards import sdjwt

BAD_SIGNATURE = "the signature does not verify"
_verify_statement = lru_cache(256)(ed25519.verify)  # a batch's facts stand on one signature


class Signatures:
    """Verifies facts in order. A kid is its key's thumbprint, so every key that a former block named may be used;
    whether the state knew it then, as whose, and whether it was still good, the replay says."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}
        self._named: list[str] = []  # public keys, in the block under way

    def fault(self, signed: Signed) -> str | None:
        """As `fault` of the next fact; None where no former block names its key."""
        fact = signed.fact
        if (text := getattr(fact, "public_key", None)) is not None:
            self._named.append(text)
        key = self._keys.get(signed.envelope.kid)
        return None if key is None and not fact.introduces else fault(signed, key)

    def end_block(self) -> None:
        """What comes now stands in another block."""
        for text in self._named:
            try:
                key = sdjwt.unb64(text.encode())
            except ValueError:
                continue
            self._keys[thumbprint(key)] = key
        self._named.clear()


def fault(signed: Signed, key: bytes | None) -> str:
    """Why a fact's signature does not hold under a key (of an introducing fact: under its own), or ""."""
    try:
        verify = ed25519.verify if signed.batch is None else _verify_statement
        if signed.fact.introduces:
            key = introduced_key(signed)
        assert key is not None, "only an introducing fact brings its key"
        return "" if verify(key, *signed_part(signed)) else BAD_SIGNATURE
    except Refused as refused:
        return str(refused)
