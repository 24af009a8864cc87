"""Signatures of stored facts, each under the key that its kid names."""

from __future__ import annotations

from functools import lru_cache

from hanse.kernel.batches import signed_part
from hanse.kernel.facts import Signed, thumbprint
from hanse.kernel.refusal import Refused
from hanse.node.admission import introduced_key
from hanse.node.stored import StoredBlock
from hanse.record import ed25519
from hanse.standards import sdjwt

BAD_SIGNATURE = "the signature does not verify"
_verify_statement = lru_cache(256)(ed25519.verify)  # a batch's facts stand on one signature


class Signatures:
    """Verifies blocks in order. A kid is its key's thumbprint, so every key that a former block named may be used;
    whether the state knew it then, as whose, and whether it was still good, the replay says."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}

    def of(self, stored: StoredBlock) -> tuple[list[tuple[int, str]], list[int]]:
        """((position, why) of what does not verify, places in `stored.facts` whose key no former block names)."""
        wrong, unknown = [], []
        for i, signed in enumerate(stored.facts):
            key = self._keys.get(signed.envelope.kid)
            if key is None and not signed.fact.introduces:
                unknown.append(i)
            elif why := fault(signed, key):
                wrong.append((stored.first + 1 + i, why))
        for signed in stored.facts:
            if (text := getattr(signed.fact, "public_key", None)) is not None:
                self._learn(text)
        return wrong, unknown

    def _learn(self, public_key: str) -> None:
        try:
            key = sdjwt.unb64(public_key.encode())
        except ValueError:
            return
        self._keys[thumbprint(key)] = key


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
