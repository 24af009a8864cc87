"""A strict reader of the part of YAML that means the same everywhere.

Maps, lists, text, integers, true and false. No anchors, tags, merges, floats, dates, null or second documents; no key
twice. What two YAML readers could read differently (`1.50`, `yes`, `0o17`, `2019-01-11`) is refused and must be quoted.
"""

import re
from typing import Any

import yaml

from hanse.rooms.contracts.terms.refused import TermsRefused

TEXT_BYTES_MAX = 65_535  # a leaf of the record
SCALAR_CHARS_MAX = 4_000
NODES_MAX = 8_000
DEPTH_MAX = 12
INT_DIGITS_MAX = 19

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(
    r"[-+]?([0-9][0-9_]*)?\.[0-9_]*([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+|[-+]?\.(inf|nan)", re.I
)
_ODD_INT = re.compile(r"[-+]?(0[0-9_]+|0[xob][0-9a-f_]+|[0-9][0-9_]*_[0-9_]*|[0-9]+(:[0-9]{1,2})+(\.[0-9]*)?)", re.I)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_ODD_WORD = re.compile(r"yes|no|on|off|true|false|null|~|", re.I)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\ufeff\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def load(text: str | bytes) -> Any:
    """Read one document.

    Returns: dict, list, str, int or bool, nested; dicts keep the order of the text.
    Refuses, in order: terms.yaml_size, terms.yaml_text (not UTF-8, control or direction characters), terms.yaml_syntax,
    terms.yaml_feature (anchor, alias, tag, second document), terms.yaml_depth, terms.yaml_size (nodes, scalar),
    terms.yaml_key, terms.yaml_duplicate, terms.yaml_scalar (float, date, odd integer, odd word, null).

    >>> load("a: {b: [1, two, true]}")
    {'a': {'b': [1, 'two', True]}}
    """
    text = _decode(text)
    try:
        return _Builder().build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark is not None else "the document"
        problem = getattr(error, "problem", None) or "cannot be read"
        next_step = "correct the YAML; expressions with ': ' or ', ' stand in quotes"
        raise TermsRefused("terms.yaml_syntax", f"{where}: {problem}", next=next_step) from None
    except (ValueError, RecursionError):
        raise TermsRefused("terms.yaml_syntax", "the document cannot be read", next="correct the YAML") from None


def _decode(text: str | bytes) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "replace"))
    if size > TEXT_BYTES_MAX:
        raise TermsRefused("terms.yaml_size", "the document is too large", str(size), f"{TEXT_BYTES_MAX} bytes at most")
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text.encode("utf-8").decode("utf-8")
    except UnicodeError:
        raise TermsRefused("terms.yaml_text", "the document is not UTF-8 text", next="save it as UTF-8") from None
    text = text.replace("\r\n", "\n")
    if found := _CONTROL.search(text):
        got = f"U+{ord(found.group()):04X} at character {found.start()}"
        raise TermsRefused(
            "terms.yaml_text", "a character that is invisible or turns the text around", got, "plain text"
        )
    return text


class _Builder:
    """Builds values from the parser's events with an explicit stack: nesting cannot exhaust Python's."""

    def __init__(self) -> None:
        self.stack: list[list[Any] | dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.root: Any = None
        self.count = 0
        self.documents = 0

    def build(self, events: Any) -> Any:
        for event in events:
            self._one(event)
        if self.documents != 1:
            raise TermsRefused("terms.yaml_feature", "not exactly one document", str(self.documents), "one document")
        return self.root

    def _one(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1 or event.version or event.tags:
                raise TermsRefused("terms.yaml_feature", "a second document or a directive", expected="one document")
        elif isinstance(event, yaml.NodeEvent):
            self._node(event)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            done = self.stack.pop()
            self.keys.pop()
            self._put(done, event)

    def _node(self, event: Any) -> None:
        line = event.start_mark.line + 1
        self.count += 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise TermsRefused(
                "terms.yaml_feature", f"line {line}: anchors and aliases are not read", next="write it out"
            )
        if event.tag is not None:
            raise TermsRefused("terms.yaml_feature", f"line {line}: tags are not read", str(event.tag), "no tag")
        if self.count > NODES_MAX:
            raise TermsRefused("terms.yaml_size", "too many values", str(self.count), f"{NODES_MAX} at most")
        if isinstance(event, yaml.ScalarEvent):
            self._put(self._scalar(event), event)
            return
        if len(self.stack) >= DEPTH_MAX:
            raise TermsRefused(
                "terms.yaml_depth", f"line {line}: nested too deeply", expected=f"{DEPTH_MAX} levels at most"
            )
        self.stack.append([] if isinstance(event, yaml.SequenceStartEvent) else {})
        self.keys.append(None)

    def _scalar(self, event: Any) -> str | int | bool:
        line, text = event.start_mark.line + 1, event.value
        if len(text) > SCALAR_CHARS_MAX:
            raise TermsRefused("terms.yaml_size", f"line {line}: text too long", str(len(text)), f"{SCALAR_CHARS_MAX}")
        if found := _CONTROL.search(text):
            raise TermsRefused("terms.yaml_text", f"line {line}: an invisible character", f"U+{ord(found.group()):04X}")
        is_key = bool(self.stack) and isinstance(self.stack[-1], dict) and self.keys[-1] is None
        if event.style is not None or is_key:
            return str(text)
        return plain(text, line)

    def _put(self, value: Any, event: Any) -> None:
        line = event.start_mark.line + 1
        if not self.stack:
            self.root = value
            return
        top = self.stack[-1]
        if isinstance(top, list):
            top.append(value)
            return
        key = self.keys[-1]
        if key is not None:
            top[key] = value
            self.keys[-1] = None
            return
        if not isinstance(value, str) or not value or value == "<<":
            raise TermsRefused("terms.yaml_key", f"line {line}: a key is a word", str(value), "a word")
        if value in top:
            raise TermsRefused("terms.yaml_duplicate", f"line {line}: the key stands twice", value, "each key once")
        self.keys[-1] = value


def plain(text: str, line: int) -> str | int | bool:
    """The value of an unquoted scalar: integer, true, false or text.

    >>> plain("10.5%", 1), plain("-7", 1), plain("1.0.0", 1)
    ('10.5%', -7, '1.0.0')
    """
    if text in ("true", "false"):
        return text == "true"
    if _INT.fullmatch(text):
        if len(text.lstrip("+-")) > INT_DIGITS_MAX:
            raise TermsRefused("terms.yaml_scalar", f"line {line}: the number is too long", text, "19 digits at most")
        return int(text)
    for pattern, what in ((_FLOAT, "a decimal"), (_ODD_INT, "an odd number"), (_DATE, "a date"), (_ODD_WORD, "a word")):
        if pattern.fullmatch(text):
            message = f"line {line}: {what} that readers of YAML understand differently"
            raise TermsRefused("terms.yaml_scalar", message, text, 'quoted text, such as "200.00"', "put it in quotes")
    return text
