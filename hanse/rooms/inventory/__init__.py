"""Inventory: what a firm keeps, what it owns elsewhere, and what it offers of it.

Words
    stock           one lot of one own number at one site: on hand, allocated, set aside. Known at home only.
    owner           who has title; "" is the firm that keeps it. Title and custody are told apart.
    allocated       promised to confirmed orders. set aside: kept back for a firm offer's audience.
    free            on hand less allocated and set aside. short: what is promised beyond what a count found.
    movement        one change of stock's on hand, with its reason and reference. A journal, never rewritten.
    held            title of goods that another firm keeps.
    policy          a firm's own rules for one own number: its minimum price, and what it keeps for its own customers.
    earmark         what stands behind an offer or a transfer: own number, site, lot, quantity, minimum price. At home.
    offer           a quantity until a time, to one circle; price and place are the circle's. A *firm* offer binds.
    reservation     what orders have drawn of an offer and not yet taken. Public, as a quantity.
    transfer        goods between two firms at cost plus: title, custody or both.
    want            what a firm would borrow or buy, told to one circle.

Invariants
    On hand is the sum of its movements, at every position.
    allocated + set aside = on hand + short - free, none of them negative, and free or short is zero.
    For every offer: reserved + taken <= each offered.
    A quantity of a lot has one owner. What one firm's stock loses in a transfer, the other's gains.
    What is not linked to an item of the catalogue cannot be earmarked. No offer carries a minimum price, and none
    whose price lies below it counts as the owner's.
"""
