"""Names of what an import signs: the same row gives the same name, and what is public tells a stranger nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import re

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,79}\Z")
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")


def plain_id(text: str) -> str:
    """A firm's own code as an identifier: itself where it is one, else what can be read of it and a hash.

    >>> plain_id("HH-1"), plain_id("Lager Süd"), plain_id("../../etc")
    ('HH-1', 'Lager-S-d-c7fd6d97', 'etc-5fdaf8da')
    """
    if _ID.match(text):
        return text
    readable = _OTHER.sub("-", text).strip("-._")[:60] or "x"
    return f"{readable}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def hidden_id(salt: bytes, prefix: str, *parts: str | int) -> str:
    """A public name for something that only the firm knows: nobody without the salt can tell or try what it stands for.

    Source: HMAC-SHA-256 (RFC 2104) over the JSON of the parts, 80 bits.

    >>> hidden_id(b"salt", "i", "sale", "SO-5001")
    'i-d73fcbf1a1faae9bfbb4'
    """
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return f"{prefix}-{hmac.digest(salt, text.encode(), 'sha256').hex()[:20]}"
