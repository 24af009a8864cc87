"""Templates are laid out for who reads them, pages for the wire: what only indents a template is not sent.

Done once, when a template is compiled. Outside of elements that keep their blanks (`pre`, `textarea`, and scripts and
styles) a run of blanks becomes one, and none at all beside an element that begins a line of its own: there HTML gives
it no meaning (CSS Text Module Level 3, 4.1.1: blanks at the beginning and the end of a line are removed).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

KEEPS = re.compile(r"<(pre|textarea|script|style)\b|</(?:pre|textarea|script|style)\b")
"""Where an element begins that keeps its blanks, and where it ends."""
_OWN_LINE = (
    "address|article|aside|base|blockquote|body|caption|col|colgroup|dd|details|div|dl|dt|fieldset|figcaption|figure|"
    "footer|form|h1|h2|h3|h4|h5|h6|head|header|hr|html|legend|li|link|main|meta|nav|ol|optgroup|option|p|section|"
    "summary|table|tbody|td|tfoot|th|thead|title|tr|ul"
)
_BLANKS = re.compile(r"\s+")
_EDGE = re.compile(rf"</?(?:{_OWN_LINE})\b|<(?:button|select)\b")
_BEFORE = re.compile(rf" (?=</?(?:{_OWN_LINE})\b|<!--|</(?:button|select)>)")
_AFTER = re.compile(rf"((?:{_EDGE.pattern})[^<>]*>) ")
_CLOSED = re.compile(r"^([^<>]*>) ")


class Squeeze(Extension):
    """For `jinja2.Environment(extensions=[Squeeze])`."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """The tokens of one template, its text squeezed."""
        text = _Text()
        for token in stream:
            yield Token(token.lineno, "data", text.squeezed(token.value)) if token.type == "data" else token


class _Text:
    """The text of one template, piece by piece: a tag may hold values, and so begin in one piece and end in another."""

    def __init__(self) -> None:
        self.kept = False
        self.edge = False

    def squeezed(self, value: str) -> str:
        pieces, at = [], 0
        for mark in [*KEEPS.finditer(value), None]:
            end = mark.start() if mark else len(value)
            pieces.append(value[at:end] if self.kept else self._squeezed(value[at:end]))
            at = end
            self.kept = mark.group(1) is not None if mark else self.kept
        return "".join(pieces)

    def _squeezed(self, piece: str) -> str:
        piece = _AFTER.sub(r"\1", _BEFORE.sub("", _BLANKS.sub(" ", piece)))
        if self.edge:
            piece = _CLOSED.sub(r"\1", piece)
        unclosed = piece.rfind("<")
        if unclosed > piece.rfind(">"):
            self.edge = _EDGE.match(piece, unclosed) is not None
        elif ">" in piece:
            self.edge = False
        return piece
