"""A notice to the reader that survives one redirect, in a cookie that only this site's pages read."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from litestar import Request
from litestar.datastructures.cookie import Cookie

NAME = "notice"
CHARS_MAX = 300


def notice_cookie(text: str) -> Cookie:
    """The cookie of a notice; it lasts a minute, and the page that shows it ends it."""
    return Cookie(
        key=NAME, value=quote(text[:CHARS_MAX], safe=""), path="/", max_age=60, httponly=False, samesite="lax"
    )


def notice_of(request: Request[Any, Any, Any]) -> str:
    """The notice that the last answer left, or ""; plain text, escaped where it is shown."""
    return unquote(request.cookies.get(NAME, ""))[:CHARS_MAX]
