"""XML of strangers, read without risk; amounts as exact minor units; dates as UTC seconds.

No document type, no entity, no network, no huge tree: what has one is refused before it is built.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

BYTES_MAX = 20_000_000
_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "XAF": 0, "XOF": 0, "XPF": 0, "PYG": 0, "UGX": 0, "RWF": 0}
_DIGITS |= {"BIF": 0, "DJF": 0, "GNF": 0, "KMF": 0, "VUV": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3}
_DIGITS |= {"OMR": 3, "TND": 3, "CLF": 4, "UYW": 4}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
MINOR_MAX = 10**17


class XmlRefused(ValueError):
    """Why a document is not read. Codes: xml.not_xml, xml.too_large, xml.has_doctype, xml.wrong_root, xml.missing,
    xml.bad_number, xml.inexact, xml.bad_date, xml.wrong_total, xml.unsupported."""

    def __init__(self, code: str, message: str, got: str = "") -> None:
        super().__init__(f"{code}: {message}" + (f"; got {got[:200]!r}" if got else ""))
        self.code, self.message, self.got = code, message, got[:200]


def parse(data: bytes) -> Any:
    """The root element. Refuses, in order: xml.too_large, xml.not_xml, xml.has_doctype.

    >>> parse(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    Traceback (most recent call last):
    ...
    hanse.standards.safe_xml.XmlRefused: xml.has_doctype: a document type is not accepted
    """
    if len(data) > BYTES_MAX:
        raise XmlRefused("xml.too_large", f"at most {BYTES_MAX} bytes", str(len(data)))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlRefused("xml.not_xml", f"it does not read: {error}") from None
    if root.getroottree().docinfo.doctype:
        raise XmlRefused("xml.has_doctype", "a document type is not accepted")
    return root


def digits_of(currency: str) -> int:
    """Decimal places of a currency (ISO 4217): 2 unless listed.

    >>> digits_of("EUR"), digits_of("JPY"), digits_of("KWD")
    (2, 0, 3)
    """
    return _DIGITS.get(currency, 2)


def decimal_text(minor: int, digits: int) -> str:
    """An amount of minor units as decimal text.

    >>> decimal_text(-5, 2), decimal_text(1_250, 0), decimal_text(12_345, 3)
    ('-0.05', '1250', '12.345')
    """
    sign, whole = "-" if minor < 0 else "", abs(minor)
    return f"{sign}{whole // 10**digits}" + (f".{whole % 10**digits:0{digits}d}" if digits else "")


def minor_units(text: str, digits: int) -> int:
    """Decimal text as minor units, exactly. Refuses, in order: xml.bad_number, xml.inexact.

    >>> minor_units("12.30", 2), minor_units("-.5", 2), minor_units("7.000", 2)
    (1230, -50, 700)
    """
    value = number(text) * 10**digits
    if value != value.to_integral_value():
        raise XmlRefused("xml.inexact", f"more than {digits} decimal places", text)
    if abs(value) > MINOR_MAX:
        raise XmlRefused("xml.bad_number", "too large", text)
    return int(value)


def number(text: str) -> Decimal:
    """Refuses: xml.bad_number (exponents, signs twice, words, more than 40 characters)."""
    text = text.strip()
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        raise XmlRefused("xml.bad_number", "this is no decimal number", text)
    try:
        return Decimal(text)
    except InvalidOperation:
        raise XmlRefused("xml.bad_number", "this is no decimal number", text) from None


def day_text(at: int) -> str:
    """The UTC day of a time as ISO 8601: `day_text(0)` is '1970-01-01'."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def day_seconds(text: str) -> int:
    """The first second of an ISO 8601 day, UTC; a zone behind it is left out. Refuses: xml.bad_date."""
    try:
        day = date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise XmlRefused("xml.bad_date", "this is no ISO 8601 date", text) from None
    seconds = (day - date(1970, 1, 1)) // timedelta(seconds=1)
    if seconds < 0:
        raise XmlRefused("xml.bad_date", "before 1970", text)
    return seconds


def text_at(element: Any, path: str, spaces: dict[str, str]) -> str:
    """The text at a path, "" where there is none."""
    found = element.findtext(path, namespaces=spaces)
    return (found or "").strip()


def need(element: Any, path: str, spaces: dict[str, str]) -> str:
    """The text at a path. Refuses: xml.missing."""
    found = text_at(element, path, spaces)
    if not found:
        raise XmlRefused("xml.missing", f"{path} is not there")
    return found
