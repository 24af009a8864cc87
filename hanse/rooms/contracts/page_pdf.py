"""A printable contract as PDF (ISO 32000-1): text in one embedded font, so that it reads the same everywhere.

The bytes depend on the contract alone: no clock, no random identifier; `fpdf` writes its objects in a fixed order.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import segno
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from hanse.rooms.contracts.page_agreement import ClauseShown
from hanse.rooms.contracts.page_print import Printable
from hanse.web.formats import time_text

FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
MARGIN_MM = 20.0
CODE_MM = 32.0
LABEL_MM = 58.0
INK, QUIET = (6, 34, 46), (90, 105, 112)


class _Paper(FPDF):
    """A4 pages with a foot that names contract, hash and page."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4", unit="mm")
        self.foot = foot
        self.add_font("DejaVu", "", FONT)
        self.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, MARGIN_MM + 2)

    def footer(self) -> None:
        """The foot of every page."""
        self.set_y(-MARGIN_MM + 4)
        self._ink(7, quiet=True)
        self.cell(0, 4, f"{self.foot}   page {self.page_no()} of {{nb}}")

    def _ink(self, size: float, quiet: bool = False) -> None:
        self.set_font("DejaVu", size=size)
        self.set_text_color(*(QUIET if quiet else INK))

    def say(self, text: str, size: float = 9.5, *, quiet: bool = False, after: float = 1.5) -> None:
        """A paragraph."""
        self._ink(size, quiet)
        self.multi_cell(0, size * 0.5, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(after)

    def head(self, text: str) -> None:
        """A heading, kept with what follows."""
        if self.get_y() > self.h - 3 * MARGIN_MM:
            self.add_page()
        self.ln(2)
        self.say(text, 12.5, after=1.5)

    def pair(self, label: str, value: str, size: float = 8.5) -> None:
        """A label and its value beside it."""
        if self.get_y() > self.h - 2 * MARGIN_MM:
            self.add_page()
        top, page = self.get_y(), self.page
        self._ink(size, quiet=True)
        self.multi_cell(LABEL_MM - 3, size * 0.5, label, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        low = self.get_y()
        if self.page != page:
            top = MARGIN_MM
        self.set_xy(MARGIN_MM + LABEL_MM, top)
        self._ink(size)
        self.multi_cell(0, size * 0.5, value or "-", align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_y(max(low, self.get_y()) if self.page == page else self.get_y())
        self.ln(0.8)

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

    Letters outside Latin, Greek and Cyrillic show as an empty box.
    """
    template = dict(found.hashes).get("Template", "")
    paper = _Paper(f"{found.title}, {_called(found)}version {found.version}   template {template[:16]}")
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
    for label, value in (*found.params, *found.around):
        paper.pair(label, value)
    paper.head("Rules as they are computed")
    for clause in found.clauses:
        _rule(paper, clause)
    _hashes(paper, found)
    return bytes(paper.output())


def _called(found: Printable) -> str:
    """For every page's foot; of a number that a program made there is nothing to say."""
    return "" if found.called == "Agreement" else f"agreement {found.number}, "


def _front(paper: _Paper, found: Printable) -> None:
    paper.set_right_margin(MARGIN_MM + CODE_MM + 6)
    paper.say(found.title, 19, after=1)
    until = f"until {_day(found.until_at)}" if found.until_at else "until somebody ends it"
    paper.say(f"{found.called}, version {found.version}, {found.state}. In force from "
              f"{_day(found.from_at)}, {until}.", quiet=True)  # fmt: skip
    if found.unproven:
        paper.say("Unproven: one side alone has signed it.")
    paper.say(f"Entry {found.entry}: {found.link}", 8, quiet=True)
    paper.set_right_margin(MARGIN_MM)
    paper.set_y(max(paper.get_y(), MARGIN_MM + CODE_MM + 3))
    paper.head("Parties")
    for role, name, entry in found.parties:
        paper.pair(role, name + (f", signed by entry {entry}" if entry is not None else ""))


def _rule(paper: _Paper, clause: ClauseShown) -> None:
    paper.say(f"{clause.id}: {clause.when}, once for each {clause.once_per}", 9, after=1)
    for name, whence, who in clause.facts:
        paper.pair(f"   {name}", f"{whence}{f' (signed by {who})' if who else ''}", 7.5)
    for name, rule in clause.steps:
        paper.pair(f"   {name}", rule, 7.5)
    for text in clause.then:
        paper.pair("   then", text, 7.5)
    paper.ln(1)


def _hashes(paper: _Paper, found: Printable) -> None:
    paper.head("How to check it")
    paper.say("Whoever holds this paper can compare these with the record: the terms that were signed have exactly "
              "these digests (SHA-256 of canonical JSON).", 8.5, quiet=True)  # fmt: skip
    paper.pair("Agreement", found.number, 7.5)
    for label, value in found.hashes:
        paper.pair(label, value, 7.5)
    paper.pair("Agreement's entry", f"{found.entry}", 7.5)
    paper.pair(f"Circle after entry {found.circle_entry}", found.circle_hash, 7.5)


def _day(at: int) -> str:
    return time_text(at, UTC, with_time=False)
