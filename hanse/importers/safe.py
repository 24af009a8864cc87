"""Cells that no spreadsheet takes for a formula.

Source: OWASP, "CSV Injection": cells that begin with = + - @, tab or return (and their full-width forms).
"""

import re

_RISKY = "=+-@\t\r\n＝＋－＠"
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)\Z", re.ASCII)


def guarded(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run, and before such an apostrophe; numbers stay.

    >>> guarded("=HYPERLINK(1)"), guarded("-5"), guarded("- not found"), guarded("'=1"), guarded("O'Neill")
    ("'=HYPERLINK(1)", '-5', "'- not found", "''=1", "O'Neill")
    """
    if not text:
        return text
    bare = text.lstrip("'").lstrip(" ")
    if bare[:1] in _RISKY and bare and not _NUMBER.match(text):
        return "'" + text
    return text


def unguarded(text: str) -> str:
    """Undo `guarded`.

    >>> [unguarded(guarded(text)) for text in ("=1", "'=1", "-5", "'plain'", " +x")]
    ['=1', "'=1", '-5', "'plain'", ' +x']
    """
    if not text.startswith("'"):
        return text
    bare = text.lstrip("'").lstrip(" ")
    return text[1:] if bare[:1] in _RISKY and bare else text
