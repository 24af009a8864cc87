"""What people call an order and a shipment, where the record has only ids that were made up."""

from __future__ import annotations

import re

from hanse.kernel.facts import Part
from hanse.kernel.view import View
from hanse.rooms.orders.private_rows import MINE
from hanse.rooms.orders.rows import SHIPMENTS
from hanse.rooms.parties.facts import SITES

MADE_UP = re.compile("[io]-[0-9a-f]{20}(-[0-9]+)?")
MADE_UP_ID = re.compile(
    "(PAY-)?([a-z]{1,8}-)+([0-9a-f]{20}|(?=[0-9]*[a-f])[0-9a-f]{10,12})(-[0-9]+)?|[RS]-[0-9a-f]{12}"
)
"""Of anything that a program named: people are told something else instead."""
SHIPPED = re.compile("(sh-[io]-[0-9a-f]{20}|S-[0-9a-f]{12}|[a-z]{1,2}-[0-9a-f]{20})(-[0-9]+)?")


def known_as(order: str, po_number: str) -> str:
    """What people call an order: its own number in the firm's system, where the id was made up by an import or a node.

    >>> known_as("i-869c81169eec3568adb9", "SO-5001"), known_as("PO-17", "4500017")
    ('SO-5001', 'PO-17')
    >>> known_as("o-a57a13c43535a9737080", "4711-WINCH"), known_as("o-a57a13c43535a9737080", "")
    ('4711-WINCH', 'o-a57a13c43535a9737080')
    """
    return po_number if po_number and MADE_UP.fullmatch(order) else order


DOCUMENT_MADE_UP = re.compile("doc-[io]-[0-9a-f]{20}")
PARCEL_SIGNS = 6


def parcel_words(shipment: str) -> str:
    """A parcel on paper that names nobody: its shipment's id, of one that a program made up the last signs.

    >>> parcel_words("S-17"), parcel_words("sh-o-a57a13c43535a9737080")
    ('S-17', '737080')
    """
    return shipment[-PARCEL_SIGNS:] if SHIPPED.fullmatch(shipment) else shipment


def document_words(document: str, customer: str, po_number: str) -> str:
    """A customer's document by its number; where a program numbered it by the customer's PO, else by whose it is.

    >>> document_words("D-7", "Werft", "4711"), document_words("doc-o-a57a13c43535a9737080", "Werft", "4711")
    ('Document D-7', 'Document for PO 4711')
    """
    if not (DOCUMENT_MADE_UP.fullmatch(document) or MADE_UP_ID.fullmatch(document)):
        return f"Document {document}"
    return f"Document for PO {po_number}" if po_number else f"Document for {customer}"


def place_words(view: View, to: Part) -> str:
    """Where an order goes, as one line: mark, the reader's own site by its name, street, city.

    A partner's site has no name here: its id is said only where no city is known.
    """
    site = str(getattr(to, "site", ""))
    row = view.get(SITES, view.home, site) if site and view.home else None
    parts = [getattr(to, "mark", ""), row.name if row else "" if getattr(to, "city", "") else site,
             *(getattr(to, name, "") for name in ("street", "postcode", "city", "country"))]  # fmt: skip
    return ", ".join(dict.fromkeys(str(part) for part in parts if part))


def order_name(view: View, order: str) -> str:
    """An order of the reader's by its own number; others' by the id."""
    mine = view.get(MINE, view.home, order) if view.home else None
    return known_as(order, mine.po_number if mine else "")


def document_name(view: View, document: str, customer: str, po_number: str) -> str:
    """A customer's document; where its PO is an order that the reader's firm itself serves, by that order's number."""
    return document_words(document, customer, order_name(view, po_number))


def shipment_name(view: View, shipment: str) -> str:
    """A shipment by its order's name where its own id was made up, by a node, an import or the demo; else the id."""
    row = view.get(SHIPMENTS, shipment) if SHIPPED.fullmatch(shipment) else None
    name = order_name(view, row.order_id) if row else shipment
    return name if row and name != row.order_id else shipment
