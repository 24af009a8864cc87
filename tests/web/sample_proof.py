"""A small record made here, independently of hanse.record: eight entries, a signed and a cosigned checkpoint."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from typing import Any

from nacl.signing import SigningKey

ORIGIN = "hanse.example/lubeck"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root_of(leaves[:k]), root_of(leaves[k:]))


def path_of(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if index < k:
        return [*path_of(index, leaves[:k]), root_of(leaves[k:])]
    return [*path_of(index - k, leaves[k:]), root_of(leaves[:k])]


def vkey(name: str, key: SigningKey, kind: int) -> tuple[str, bytes]:
    """C2SP signed-note: verifier key and key id."""
    typed = bytes([kind]) + bytes(key.verify_key)
    number = hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]
    return f"{name}+{number.hex()}+{b64(typed)}", number


def sample_proof(size: int = 13, index: int = 5) -> dict[str, Any]:
    """A proof that holds: entry `index` of `size`."""
    party, log, witness = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3))
    head = url64(json.dumps({"alg": "EdDSA", "typ": "hanse+sd-jwt"}).encode())
    body = url64(json.dumps({"kind": "orders.place", "body": {"item": "6205-2RS", "each": 20}}).encode())
    jws = f"{head}.{body}.{url64(party.sign(f'{head}.{body}'.encode()).signature)}"
    leaves = [f"entry {n}".encode() for n in range(size)]
    leaves[index] = b"\x01" + jws.encode() + b"\x00ok"
    root = root_of(leaves)
    text = f"{ORIGIN}\n{size}\n{b64(root)}\n"
    log_key, log_id = vkey(ORIGIN, log, 1)
    witness_key, witness_id = vkey("witness.example/riga", witness, 4)
    at = 1_790_000_000
    cosigned = witness.sign(f"cosignature/v1\ntime {at}\n{text}".encode()).signature
    note = f"{text}\n— {ORIGIN} {b64(log_id + log.sign(text.encode()).signature)}\n"
    note += f"— witness.example/riga {b64(witness_id + struct.pack('>Q', at) + cosigned)}\n"
    return {
        "index": index,
        "size": size,
        "leaf": b64(leaves[index]),
        "proof": [b64(one) for one in path_of(index, leaves)],
        "root": b64(root),
        "note": note,
        "vkeys": [log_key, witness_key],
        "fact": {"jws": jws, "public_key": b64(bytes(party.verify_key)), "signer": "Baltic Bearings GmbH"},
    }
