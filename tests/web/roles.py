"""Forms as they stand on a page, filled in as a reader would leave them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lxml import html

BY_TYPE = {"number": "1", "date": "2030-01-01", "email": "somebody@firm.example"}
"""What a field that is empty is filled in with, by its type; "1" in all others."""


@dataclass(frozen=True)
class Form:
    """address: where it is sent. fields: (name, value), in order. shown: the page on which it stands."""

    address: str
    fields: tuple[tuple[str, str], ...]
    shown: str

    @property
    def path(self) -> str:
        return urlsplit(self.address).path

    def filled(self) -> dict[str, Any]:
        """Its fields; what stands there several times as a list."""
        found: dict[str, list[str]] = {}
        for name, value in self.fields:
            found.setdefault(name, []).append(value)
        return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def forms_of(page: str, shown: str) -> list[Form]:
    """The forms in a page's content, one for each of their buttons that says or leads elsewhere."""
    found = []
    for form in html.fromstring(page).xpath("//main//form[@method='post']"):
        fields = tuple(_field(one) for one in form.xpath(".//input|.//select|.//textarea") if _counts(one))
        buttons = form.xpath(".//button[@formaction or @name]")
        plain = form.xpath(".//button[not(@formaction) and not(@name) and not(@type='button')]")
        if form.get("action") and (plain or not buttons):
            found.append(Form(form.get("action"), fields, shown))
        for button in buttons:
            said = ((button.get("name"), button.get("value") or ""),) if button.get("name") else ()
            address = button.get("formaction") or form.get("action") or shown
            found.append(Form(address, (*fields, *said), shown))
    return found


def links_of(page: str) -> set[str]:
    """The addresses within the site to which a page leads."""
    links = html.fromstring(page).xpath("//a/@href | //*/@hx-get")
    return {urlsplit(link).path for link in links if re.match(r"/(?!/)", link)}


def _counts(field: Any) -> bool:
    return bool(field.get("name")) and field.get("name") != "_csrf" and field.get("type") not in ("submit", "button")


def _field(field: Any) -> tuple[str, str]:
    name = str(field.get("name"))
    if field.tag == "textarea":
        return name, field.text or "1"
    if field.tag == "select":
        options = (
            field.xpath(".//option[@selected]") or field.xpath(".//option[@value!='']") or field.xpath(".//option")
        )
        return name, str(options[0].get("value", options[0].text)) if options else ""
    if field.get("type") in ("checkbox", "radio"):
        return name, field.get("value", "on")
    return name, field.get("value") or BY_TYPE.get(field.get("type", "text"), "1")
