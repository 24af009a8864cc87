"""Guess how a text file is written: encoding, separator, decimal sign."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hanse.importers.refusal import ImportRefused

DELIMITERS = ",;\t|"
SAMPLE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Dialect:
    """Encoding (a Python codec name), separator of cells, decimal sign ("." or ",")."""

    encoding: str = "utf-8-sig"
    delimiter: str = ","
    decimal: str = "."


def sniff(sample: bytes) -> Dialect:
    """Guess from the first part of a file (up to 1 MiB).

    UTF-16 by its mark; UTF-8 when the sample is (a cut last character is no fault); else Windows-1252. The separator is
    the one that gives the most rows of one width, at least two; a single column is read with commas.

    >>> sniff(b"a;b\\n1,5;2\\n3,25;4\\n")
    Dialect(encoding='utf-8-sig', delimiter=';', decimal=',')
    """
    encoding = encoding_of(sample)
    try:
        text = sample.decode(encoding, errors="ignore")
    except UnicodeError as wrong:
        raise ImportRefused(
            "table.unknown_format", "the text cannot be read", encoding, "UTF-8", "save as UTF-8"
        ) from wrong
    lines = text.replace("\0", "").splitlines(keepends=True)[:200]
    first = lines[0].strip("\ufeff \r\n") if lines else ""
    if re.fullmatch(r"(?i)sep=.", first):
        return Dialect(encoding, first[-1], ".")
    best, best_score = ",", (0.0, 1)
    for delimiter in DELIMITERS:
        rows = _rows(lines, delimiter)
        widths = Counter(len(row) for row in rows if any(row))
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda entry: (entry[1] * (entry[0] > 1), entry[0]))
        score = (count / sum(widths.values()) if width > 1 else 0.0, width)
        if score > best_score:
            best, best_score = delimiter, score
    return Dialect(encoding, best, decimal_of([cell for row in _rows(lines, best)[1:] for cell in row]))


def encoding_of(sample: bytes) -> str:
    """Name the encoding of a sample.

    >>> encoding_of("Größe".encode("cp1252")), encoding_of("Größe".encode()), encoding_of("a".encode("utf-16"))
    ('cp1252', 'utf-8-sig', 'utf-16')
    """
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        # The sample may end within a character; a whole file may not.
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=len(sample) < SAMPLE_BYTES)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8-sig"
    # One stray byte in a file that is UTF-8 everywhere else spoils its row only.
    readable = sample.decode("utf-8", errors="replace")
    multibyte = sum(ord(ch) > 127 for ch in readable) - readable.count("\ufffd")
    return "utf-8-sig" if readable.count("\ufffd") * 10 < multibyte else "cp1252"


_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:[. ]\d{3})+|\d+),\d+\Z")
_POINT = re.compile(r"[+-]?(?:\d{1,3}(?:[, ]\d{3})+|\d*)\.\d+\Z")
_EITHER = re.compile(r"[+-]?\d{1,3}[.,]\d{3}\Z")


def decimal_of(cells: Sequence[str]) -> str:
    """Guess the decimal sign of a column or table; "1,234" alone says nothing.

    >>> decimal_of(["1.234,50", "7"]), decimal_of(["1,234.50"]), decimal_of(["1,234"])
    (',', '.', '.')
    """
    clear = [cell.strip() for cell in cells if not _EITHER.match(cell.strip())]
    comma = sum(bool(_COMMA.match(cell)) for cell in clear)
    return "," if comma > sum(bool(_POINT.match(cell)) for cell in clear) else "."


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(io.StringIO("".join(lines)), delimiter=delimiter))
    except csv.Error:
        return []
    return rows[:-1] if len(rows) > 20 else rows
