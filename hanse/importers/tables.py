"""Read what people export: CSV, XLSX, JSON and NDJSON, packed with gzip or not, as sheets of texts.

The content says what a file is, not its name. A file that cannot be read is refused as a whole with `ImportRefused`;
a row that cannot is listed with its number and the others go on. CSV is streamed: a million rows need no memory.

Refusals, in the order checked: table.too_large, table.empty, table.old_excel, table.unknown_format, table.bomb,
table.broken, table.too_many_columns, table.too_many_cells, table.too_many_rows, table.no_header, table.quote.
Codes of rows: row.ragged, row.not_text, row.cell_too_long.
"""

import csv
import gzip
import io
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from hanse.importers.dialect import SAMPLE_BYTES, Dialect, sniff
from hanse.importers.refusal import Bad, ImportRefused

Source = Path | bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may cost: bytes as given and unpacked, rows, columns, cells, characters in a cell."""

    bytes_max: int = 500_000_000
    unpacked_bytes_max: int = 2_000_000_000
    rows_max: int = 5_000_000
    columns_max: int = 1_000
    cells_max: int = 100_000_000
    cell_chars_max: int = 32_767


@dataclass(slots=True)
class Chunk:
    """Some rows of a sheet: numbers[n] as a spreadsheet counts (the header is row 1), cells[n][column], bad rows."""

    numbers: list[int]
    cells: list[list[str]]
    bad: list[Bad] = field(default_factory=list)
    bad_cells: dict[int, list[str]] = field(default_factory=dict)


Rows = Iterator[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: a safe name, its columns (unique), and a way to read its rows from the start, as often as needed."""

    name: str
    columns: tuple[str, ...]
    open_rows: Callable[[], Rows]
    dialect: Dialect
    limits: Limits = field(default_factory=Limits)

    def chunks(self, size: int = 20_000) -> Iterator[Chunk]:
        """Yield the rows in order, `size` at a time; blank rows are left out, rows of a wrong shape are listed."""
        rows = self.open_rows()
        seen = 0
        while part := list(islice(rows, size)):
            seen += len(part)
            if seen > self.limits.rows_max:
                most = f"at most {self.limits.rows_max} rows"
                raise ImportRefused("table.too_many_rows", f"{self.name} has too many rows", "", most, "split the file")
            yield _checked(part, len(self.columns), self.limits)

    def head(self, count: int = 200) -> list[list[str]]:
        """The first well-formed rows."""
        return next(self.chunks(count), Chunk([], [])).cells


def read(source: Source, name: str = "", limits: Limits | None = None) -> list[Sheet]:
    """Read a file or its bytes as sheets.

    Args:
        name: how the file is called, for the sheet's name; never used as a path.
    Raises ImportRefused (see the module). A workbook's empty sheets are left out.

    >>> (sheet,) = read(b"item;qty\\n001;1,5\\n", "stock.csv")
    >>> sheet.name, sheet.columns, sheet.dialect.decimal, sheet.head()
    ('stock', ('item', 'qty'), ',', [['001', '1,5']])
    """
    limits = limits or Limits()
    label = safe_name(name or (source.name if isinstance(source, Path) else ""))
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > limits.bytes_max:
        most = f"at most {limits.bytes_max} bytes"
        raise ImportRefused("table.too_large", "the file is too large", str(size), most, "split the file")
    start = _start(source)
    if start.startswith(b"PK\x03\x04"):
        from hanse.importers.workbook import read_workbook

        return read_workbook(source if isinstance(source, bytes) else source.read_bytes(), label, limits)
    packed = start.startswith(b"\x1f\x8b")

    def opened() -> io.BufferedReader:
        raw: io.RawIOBase | io.BufferedIOBase = open(source, "rb") if isinstance(source, Path) else io.BytesIO(source)  # noqa: SIM115
        if packed:
            raw = _Unpacked(gzip.GzipFile(fileobj=raw), raw, limits.unpacked_bytes_max)
        return io.BufferedReader(raw, 1 << 18)

    with opened() as handle:
        sample = handle.read(SAMPLE_BYTES)
    _refuse_unreadable(sample)
    if sample.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        from hanse.importers.documents import read_documents

        with opened() as handle:
            return read_documents(handle.read(), label, limits)
    return [_csv_sheet(opened, sample, label, limits)]


def safe_name(name: str) -> str:
    """Make a file name harmless and short: no folders, control or direction signs, endings dropped.

    >>> safe_name("../../etc/passwd"), safe_name("C:\\\\tmp\\\\stock list.csv.gz"), safe_name("\\u202egpj.x\\x00.csv")
    ('passwd', 'stock list', 'gpj.x')
    """
    base = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    clean = "".join(ch for ch in base if unicodedata.category(ch)[0] != "C").strip(" .")
    clean = re.sub(r"(?i)(\.(csv|tsv|txt|xlsx|xlsm|json|ndjson|jsonl|gz))+$", "", clean)
    return clean[:80] or "table"


def _start(source: Source) -> bytes:
    if isinstance(source, bytes):
        return source[:8]
    with open(source, "rb") as handle:
        return handle.read(8)


def _refuse_unreadable(sample: bytes) -> None:
    if not sample.strip():
        raise ImportRefused("table.empty", "the file is empty", "", "a header and rows", "export again")
    if sample.startswith(b"\xd0\xcf\x11\xe0"):
        step = "save it as .xlsx or .csv"
        raise ImportRefused("table.old_excel", "an old Excel file, or one with a password", "", ".xlsx or .csv", step)
    wide = sample.startswith((b"\xff\xfe", b"\xfe\xff"))
    if sample.startswith((b"%PDF", b"PAR1", b"\x89PNG", b"\xff\xd8", b"{\\rtf")) or (
        not wide and sample[:4096].count(0) > len(sample[:4096]) // 10
    ):
        raise ImportRefused("table.unknown_format", "the file is no table", "", "CSV, XLSX or JSON", "export as CSV")


class _Unpacked(io.RawIOBase):
    """A gzip stream that stops at a limit, so that a small file cannot fill the machine."""

    def __init__(self, inner: gzip.GzipFile, under: io.IOBase, limit: int) -> None:
        self._inner, self._under, self._left = inner, under, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        try:
            got = self._inner.readinto(buffer)
        except (OSError, EOFError, zlib.error) as wrong:
            raise ImportRefused(
                "table.broken", "the packed file is damaged", str(wrong), "", "send it again"
            ) from wrong
        self._left -= got
        if self._left < 0:
            raise ImportRefused("table.bomb", "the file unpacks to too much", "", "less data", "split the file")
        return got

    def close(self) -> None:
        self._inner.close()
        self._under.close()
        super().close()


def _csv_sheet(opened: Callable[[], io.BufferedReader], sample: bytes, name: str, limits: Limits) -> Sheet:
    dialect = sniff(sample)

    def records() -> Rows:
        csv.field_size_limit(1 << 24)
        with io.TextIOWrapper(opened(), dialect.encoding, errors="surrogateescape", newline="") as text:
            reader = csv.reader(_without_nul(text), delimiter=dialect.delimiter, doublequote=True)
            number = 0
            try:
                for number, cells in enumerate(reader, 1):
                    yield number, cells
            except csv.Error as wrong:
                step = "look for a quote that is not closed"
                message = f"row {number + 1} cannot be read"
                raise ImportRefused("table.quote", message, str(wrong), "closed quotes", step) from wrong
            except UnicodeError as wrong:  # of UTF-16 alone: half a character, or a half of a pair
                message = f"row {number + 1} cannot be read"
                raise ImportRefused("table.broken", message, dialect.encoding, "UTF-8", "save as UTF-8") from wrong

    header_row, header = next(((n, cells) for n, cells in records() if _is_header(cells)), (0, []))
    columns = header_of(header, limits)

    def rows() -> Rows:
        for number, cells in records():
            if number > header_row:
                yield number, cells

    return Sheet(name, columns, rows, dialect, limits)


def _is_header(cells: list[str]) -> bool:
    """The first row with a name; Excel's `sep=;` line is none."""
    return any(cell.strip() for cell in cells) and not cells[0].lstrip("\ufeff").lower().startswith("sep=")


def _without_nul(lines: Iterator[str]) -> Iterator[str]:
    """The csv module refuses a file with a NUL; here the row alone is wrong, so the sign travels as U+FFFF."""
    for line in lines:
        yield line.replace("\0", "\uffff") if "\0" in line else line


def header_of(cells: list[str], limits: Limits) -> tuple[str, ...]:
    """Make column names: trimmed, unique, none empty.

    >>> header_of(["\\ufeffItem ", "qty", "", "qty"], Limits())
    ('Item', 'qty', 'column 3', 'qty (2)')
    """
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    if not cells:
        raise ImportRefused("table.no_header", "no row has column names", "", "a first row of names", "add a header")
    if len(cells) > limits.columns_max:
        most = f"at most {limits.columns_max}"
        raise ImportRefused("table.too_many_columns", "too many columns", str(len(cells)), most, "export fewer columns")
    names: dict[str, None] = {}
    for place, cell in enumerate(cells, 1):
        bare = " ".join("".join(ch for ch in cell if ch.isprintable() or ch in "\t\n").strip("\ufeff").split())[:200]
        name = base = bare or f"column {place}"
        copy = 1
        while name in names:
            copy += 1
            name = f"{base} ({copy})"
        names[name] = None
    return tuple(names)


def _checked(part: list[tuple[int, list[str]]], width: int, limits: Limits) -> Chunk:
    chunk = Chunk([], [])
    most = limits.cell_chars_max
    for number, cells in part:
        if len(cells) != width:
            if not any(cells):
                continue
            if len(cells) < width or any(cell.strip() for cell in cells[width:]):
                wrong = Bad(number, "", "row.ragged", f"{len(cells)} cells", f"{width} cells", "check quotes and signs")
                chunk.bad.append(wrong)
                chunk.bad_cells[number] = cells
                continue
            cells = cells[:width]
        whole = "".join(cells)
        if not whole or whole.isspace():
            continue
        if not whole.isascii() and (spot := _not_text(cells)) is not None:
            step = "save the file as UTF-8 and look at this row"
            chunk.bad.append(Bad(number, "", "row.not_text", _visible(cells[spot]), "readable text", step))
            chunk.bad_cells[number] = [_visible(cell) for cell in cells]
            continue
        if len(whole) > most and (spot := next((i for i, c in enumerate(cells) if len(c) > most), None)) is not None:
            got, step = f"{len(cells[spot])} characters", "shorten it, or look for a quote that is not closed"
            chunk.bad.append(Bad(number, "", "row.cell_too_long", got, f"at most {most}", step))
            chunk.bad_cells[number] = [cell[:most] for cell in cells]
            continue
        chunk.numbers.append(number)
        chunk.cells.append(cells)
    return chunk


_NOT_TEXT = re.compile("[\ud800-\udfff\uffff]")


def _not_text(cells: list[str]) -> int | None:
    return next((i for i, cell in enumerate(cells) if _NOT_TEXT.search(cell)), None)


def _visible(cell: str) -> str:
    return _NOT_TEXT.sub("\ufffd", cell)[:2_000]
