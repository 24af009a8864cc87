"""The demo: a made-up group of forty firms, a year of trade between them, and one story at its end.

Everything is invented (firms, brands, people, prices; GTINs carry GS1's prefix 952, kept for examples) except where
cities are. The trade is not painted: every order, count and delivery is signed, ordered and applied like anybody's, and
the figures that pages show are computed from the record.

    cast.py        who takes part, and who trades with whom
    goods.py       maintenance and repair items, and what each firm calls them
    trader.py      signs for every firm, in order and ahead of the ledger; circles.py: all relationships at once
    stocks.py      what firms keep, count and offer
    delivering.py  deliveries; ordering.py: orders, and what the pool serves of them; year.py: the days in order
    deals.py       agreements; books.py: invoices and payments; buying.py: the group
    extras.py      people, permits, wants, transfers
    story.py       the bearing that is out; ending.py: what it came to in money
    build.py       all of it onto a node
"""
