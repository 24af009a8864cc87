"""Forged-request protection: a token bound to the session (or, signed out, to a visitor cookie).

The token is `nonce.HMAC-SHA256(key, nonce | binding)`, new on every page, so that compression tells nothing about it.
It is written in the letters a to p, one for each four bits: whoever searches a page for a figure finds none in a token.
A request that a browser itself marks as coming from another site (`Sec-Fetch-Site`, W3C Fetch Metadata) is
refused before the token is looked at. Source: OWASP CSRF Prevention Cheat Sheet, "Signed Double-Submit Cookie".
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

FIELD = "_csrf"
HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def make(key: bytes, binding: str) -> str:
    """A fresh token for a binding (the raw session id, or the visitor cookie).

    >>> matches(b"k", "session", make(b"k", "session")), matches(b"k", "other", make(b"k", "session"))
    (True, False)
    >>> any(sign.isdigit() for sign in make(b"k", "session"))
    False
    """
    nonce = secrets.token_hex(16).translate(_LETTERS)
    return f"{nonce}.{_mac(key, nonce, binding)}"


def matches(key: bytes, binding: str, token: str) -> bool:
    """True when the token was made for this binding."""
    nonce, _, mac = token.partition(".")
    return bool(binding) and hmac.compare_digest(_mac(key, nonce, binding).encode(), mac.encode())


def _mac(key: bytes, nonce: str, binding: str) -> str:
    return hmac.new(key, f"csrf\0{nonce}\0{binding}".encode(), hashlib.sha256).hexdigest().translate(_LETTERS)
