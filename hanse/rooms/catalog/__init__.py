"""Catalogue: what is traded, under every number that a firm gives it.

Words
    item            one trade item, published once for all: by GTIN, by brand and part number, or both. Public.
    steward         who published the item first; only the steward changes it.
    each            the base unit in which every quantity of an item counts; a pack holds so many each.
    part key        brand and part number without the marks and blanks that people write differently.
    supersession    the item that came after another; a chain without a circle.
    substitute      an item that its steward approves in place of another; a buyer adds its own yes or no, at home.
    own number      a firm's own number for what it keeps, with the firm's own description. Known at home only.
    link            a firm's word that its own number is this item: by GTIN, by brand and part number, by hand.

Invariants
    A GTIN names one item, and so does a part key.
    Following supersessions from any item ends.
    Every link joins an own number that stands to an item that stands, and each own number has at most one.
"""
