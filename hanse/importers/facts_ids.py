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
    ('HH-1', 'Lager-S-d-c608e421', 'etc-74ccf3c5')
    """
    if _ID.match(text):
        return text
    readable = _OTHER.sub("-", text).strip("-._")[:60] or "x"
    return f"{readable}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def hidden_id(salt: bytes, prefix: str, *parts: str | int) -> str:
    """A public name for something that only the firm knows: nobody without the salt can tell or try what it stands for.

    Source: HMAC-SHA-256 (RFC 2104) over the JSON of the parts, 80 bits.

    >>> hidden_id(b"salt", "i", "sale", "SO-5001")
    'i-869c81169eec3568adb9'
    """
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return f"{prefix}-{hmac.digest(salt, text.encode(), 'sha256').hex()[:20]}"
