"""A printable contract as PDF (ISO 32000-1): text in one embedded font, so that it reads the same everywhere.

The bytes depend on the contract alone: no clock, no random identifier; `fpdf` writes its objects in a fixed order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import segno
from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from hanse.rooms.contracts.page_agreement import ClauseShown
from hanse.rooms.contracts.page_lists import Listed
from hanse.rooms.contracts.page_params import label_of
from hanse.rooms.contracts.page_print import Printable
from hanse.web.formats import time_text

FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
MARGIN_MM = 20.0
CODE_MM = 32.0
LABEL_MM = 58.0
PAGE_MM = 28.0
COLUMN_GAP_MM = 6.0
KEPT_MM = 16.0
"""What of the lines after a heading stands on the heading's page."""
HASHES_MM = 50.0
LEADING = 0.5
"""Millimetres of a line for each point of its letters."""
TITLE_SHORT = 80
UNSHOWN = "\N{REPLACEMENT CHARACTER}"
INK, QUIET = (6, 34, 46), (90, 105, 112)


class _Paper(FPDF):
    """A4 pages with a foot that names contract, hash and page, and from the second on a head that names the contract.

    unshown: letters that the font has not, which were replaced by `UNSHOWN`, in the order met.
    """

    def __init__(self, name: str, foot: str) -> None:
        super().__init__(format="A4", unit="mm")
        self.name, self.foot = name, foot
        self.unshown: dict[str, None] = {}
        self.add_font("DejaVu", "", FONT)
        self.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, MARGIN_MM)

    def header(self) -> None:
        """The head of every page but the first, which begins with the title."""
        if self.page_no() == 1:
            return
        self.set_y(MARGIN_MM - 10)
        self._ink(7, quiet=True)
        self.cell(0, 4, self._cut(self.name, self.epw))
        self.set_draw_color(*QUIET)
        self.set_line_width(0.1)
        left, right = MARGIN_MM + self.c_margin, self.w - MARGIN_MM - self.c_margin
        self.line(left, MARGIN_MM - 5, right, MARGIN_MM - 5)
        self.set_y(MARGIN_MM)

    def footer(self) -> None:
        """The foot of every page: its number keeps its place, however long the rest."""
        self.set_y(-MARGIN_MM + 6)
        self._ink(7, quiet=True)
        self.cell(self.epw - PAGE_MM, 4, self._cut(self.foot, self.epw - PAGE_MM - 2))
        self.cell(PAGE_MM, 4, f"page {self.page_no()} of {{nb}}", align="R")

    def _ink(self, size: float, quiet: bool = False) -> None:
        self.set_font("DejaVu", size=size)
        self.set_text_color(*(QUIET if quiet else INK))

    def _shown(self, text: str) -> str:
        """Text of which every letter can be printed."""
        self._ink(9)
        known = getattr(self.current_font, "cmap", {})
        out = []
        for letter in text.replace("\t", " ").replace("\r", ""):
            if letter == "\n" or ord(letter) in known:
                out.append(letter)
            else:
                self.unshown.setdefault(letter)
                out.append(UNSHOWN)
        return "".join(out)

    def _cut(self, text: str, width_mm: float) -> str:
        """One line of no more than a width, in the ink that is set."""
        size = self.font_size_pt
        text = self._shown(" ".join(text.split()))
        self._ink(size, quiet=True)
        if self.get_string_width(text) <= width_mm:
            return text
        while text and self.get_string_width(text + "…") > width_mm:
            text = text[:-1]
        return text.rstrip(" ,") + "…"

    def _height(self, text: str, size: float, width_mm: float) -> float:
        self._ink(size)
        found = self.multi_cell(
            width_mm, size * LEADING, text, align="L", dry_run=True, output=MethodReturnValue.HEIGHT
        )
        assert isinstance(found, float | int)
        return found

    def room_for(self, height_mm: float) -> None:
        """A new page where so much, of what has room on a page at all, has none on this one."""
        if height_mm < self.h - 2 * MARGIN_MM and self.get_y() + height_mm > self.h - MARGIN_MM:
            self.add_page()

    def _write(self, width_mm: float, size: float, text: str, quiet: bool) -> None:
        self._ink(size, quiet)
        self.multi_cell(width_mm, size * LEADING, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def say(self, text: str, size: float = 9.5, *, quiet: bool = False, after: float = 1.5) -> None:
        """A paragraph, on one page where it has room on one."""
        text = self._shown(text)
        self.room_for(self._height(text, size, self.epw))
        self._write(0, size, text, quiet)
        self.ln(after)

    def head(self, text: str, size: float = 12.5, *, before: float = 2.0, after: float = 1.5) -> None:
        """A heading, kept with what follows."""
        text = self._shown(text)
        self.room_for(before + self._height(text, size, self.epw) + after + KEPT_MM)
        if self.get_y() > MARGIN_MM:
            self.ln(before)
        self._write(0, size, text, False)
        self.ln(after)

    def pair(self, label: str, value: str, size: float = 8.5) -> None:
        """A label and its value beside it, on one page where they have room on one."""
        label, value = self._shown(label), self._shown(value) or "–"
        width = self.epw - LABEL_MM
        self.room_for(max(self._height(label, size, LABEL_MM - 3), self._height(value, size, width)))
        top, page = self.get_y(), self.page
        self._write(LABEL_MM - 3, size, label, True)
        low = self.get_y()
        if self.page != page:
            top = MARGIN_MM
        here = self.page
        self.set_left_margin(MARGIN_MM + LABEL_MM)
        self.set_y(top)
        self._write(0, size, value, False)
        self.set_left_margin(MARGIN_MM)
        self.set_y(max(low, self.get_y()) if self.page == here else self.get_y())
        self.ln(0.8)

    def rows_of(self, listed: Listed, size: float = 8.0) -> None:
        """A list: its head again on every page that it goes on to, no row on two pages."""
        rows = [[self._shown(text) for text in row] for row in listed.rows]
        head = [self._shown(text) for text in listed.head]
        widths = self._widths([head, *rows], size)
        self.head(f"{listed.label}: {len(rows):,} rows", 9, before=1, after=0.8)
        self._row(head, widths, listed.numbers, size, quiet=True)
        for row in rows:
            page = self.page
            self.room_for(self._row_height(row, widths, size))
            if self.page != page:
                self._row(head, widths, listed.numbers, size, quiet=True)
            self._row(row, widths, listed.numbers, size)
        self.ln(2)

    def _widths(self, rows: list[list[str]], size: float) -> list[float]:
        """Millimetres of each column: what its longest text takes, narrower in proportion where all take too much."""
        self._ink(size)
        wide = [
            max(self.get_string_width(text) for text in column) + COLUMN_GAP_MM for column in zip(*rows, strict=True)
        ]
        shrink = min(1.0, self.epw / sum(wide))
        return [width * shrink for width in wide]

    def _row_height(self, row: Sequence[str], widths: Sequence[float], size: float) -> float:
        return max(self._height(text, size, width) for text, width in zip(row, widths, strict=True)) + 0.8

    def _row(
        self, row: Sequence[str], widths: Sequence[float], numbers: Sequence[bool], size: float, quiet: bool = False
    ) -> None:
        top, height, x = self.get_y(), self._row_height(row, widths, size), MARGIN_MM
        for text, width, number in zip(row, widths, numbers, strict=True):
            self._ink(size, quiet)
            self.set_xy(x, top)
            self.multi_cell(width, size * LEADING, text, align="R" if number else "L")
            x += width
        self.set_xy(MARGIN_MM, top + height)

    def code(self, text: str, x: float, y: float) -> None:
        """A QR code (ISO/IEC 18004, level M), drawn as squares."""
        rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
        side = CODE_MM / len(rows)
        self.set_fill_color(*INK)
        for down, row in enumerate(rows):
            for across, dark in enumerate(row):
                if dark:
                    self.rect(x + across * side, y + down * side, side + 0.01, side + 0.01, style="F")


def pdf_of(found: Printable) -> bytes:
    """A contract's PDF. Its Subject and Keywords hold number and hashes, so that programs find them too.

    Letters outside Latin, Greek and Cyrillic show as U+FFFD; the last section then says which they are and for whom.
    """
    template = dict(found.hashes).get("Template", "")
    paper = _Paper(
        found.title, f"{found.called}, version {found.version}, entry {found.entry}, template {template[:16]}"
    )
    paper.set_creation_date(datetime.fromtimestamp(found.signed_at, UTC))
    paper.set_producer("Hanse")
    paper.set_lang("en")
    paper.set_title(found.title)
    paper.set_subject(f"agreement {found.number}, version {found.version}, entry {found.entry}")
    paper.set_keywords(" ".join([*(value for _, value in found.hashes), found.circle_hash]))
    paper.add_page()
    paper.code(found.link, paper.w - MARGIN_MM - CODE_MM, MARGIN_MM)
    _front(paper, found)
    paper.head("What is agreed")
    for number, clause in enumerate(found.clauses, 1):
        paper.say(f"{number}. {clause.text}")
    paper.head("Terms")
    for label, value in found.params:
        paper.pair(label, value)
    for one in found.lists:
        paper.rows_of(one)
    for label, value in found.around:
        paper.pair(label, value)
    paper.head("Rules as they are computed")
    for number, clause in enumerate(found.clauses, 1):
        _rule(paper, number, clause)
    _hashes(paper, found)
    _unshown(paper, found)
    return bytes(paper.output())


def standing_words(found: Printable) -> str:
    """Number, version, and from when until when it is in force, by days of UTC."""
    state = "In force" if found.state == "in force" else f"{found.state.capitalize()}. In force"
    until = f"until {_day(found.until_at)}" if found.until_at else "until somebody ends it"
    called = "Version" if found.called == "Agreement" else f"{found.called}, version"
    return f"{called} {found.version}. {state} from {_day(found.from_at)} (UTC) {until}."


def _front(paper: _Paper, found: Printable) -> None:
    paper.set_right_margin(MARGIN_MM + CODE_MM + 6)
    paper.say(found.title, 19 if len(found.title) <= TITLE_SHORT else 13, after=1)
    paper.say(standing_words(found), quiet=True)
    if found.unproven:
        paper.say("Unproven: one side alone has signed it.")
    paper.say(f"Entry {found.entry}: {found.link}", 8, quiet=True)
    paper.set_right_margin(MARGIN_MM)
    if paper.page == 1:
        paper.set_y(max(paper.get_y(), MARGIN_MM + CODE_MM + 3))
    paper.head("Parties")
    for role, name, entry in found.parties:
        paper.pair(role, name + (f", signed by entry {entry}" if entry is not None else ""))


def _rule(paper: _Paper, number: int, clause: ClauseShown) -> None:
    paper.head(f"{number}. {label_of(clause.id)}: {clause.when}, once for each {clause.once_per}", 9, before=1, after=1)
    for name, whence, who in clause.facts:
        paper.pair(f"   {name}", f"{whence}{f' (signed by {who})' if who else ''}", 7.5)
    for name, rule in clause.steps:
        paper.pair(f"   {name}", rule, 7.5)
    for text in clause.then:
        paper.pair("   then", text, 7.5)


def _hashes(paper: _Paper, found: Printable) -> None:
    paper.room_for(HASHES_MM)
    paper.head("How to check it")
    paper.say("Whoever holds this paper can compare these with the record: the terms that were signed have exactly "
              "these digests (SHA-256 of canonical JSON).", 8.5, quiet=True)  # fmt: skip
    paper.pair("Agreement", found.number, 7.5)
    for label, value in found.hashes:
        paper.pair(label, value, 7.5)
    paper.pair("Agreement's entry", f"{found.entry}", 7.5)
    paper.pair(f"Circle after entry {found.circle_entry}", found.circle_hash, 7.5)


def _unshown(paper: _Paper, found: Printable) -> None:
    """What could not be printed, so that nobody's name is lost on paper."""
    if not paper.unshown:
        return
    lost = set(paper.unshown)
    paper.head("Letters that this paper cannot show")
    paper.say(f"{UNSHOWN} stands for a letter that this paper's font does not have. The page behind the code has them. "
              "By their numbers in Unicode:", 8.5, quiet=True)  # fmt: skip
    told = [("Title", found.title), *((role, name) for role, name, _ in found.parties), *found.params,
            *((one.label, text) for one in found.lists for row in one.rows for text in row), *found.around]  # fmt: skip
    for label, text in told:
        if lost & set(text):
            paper.pair(label, " ".join(f"U+{ord(c):04X}" if c in lost else c for c in _words(text, lost)), 7.5)
    for number, clause in enumerate(found.clauses, 1):
        if lost & set(clause.text):
            letters = [f"U+{ord(c):04X}" for c in clause.text if c in lost]
            paper.pair(f"Sentence {number}", " ".join(letters), 7.5)


def _words(text: str, lost: set[str]) -> list[str]:
    """A text as letters that cannot be shown, and the words between them.

    >>> _words("Bob 日本 & Co", {"日", "本"})
    ['Bob', '日', '本', '& Co']
    """
    out, word = list[str](), ""
    for letter in text:
        if letter in lost:
            out += [word.strip(), letter]
            word = ""
        else:
            word += letter
    return [part for part in (*out, word.strip()) if part]


def _day(at: int) -> str:
    return time_text(at, UTC, with_time=False)
