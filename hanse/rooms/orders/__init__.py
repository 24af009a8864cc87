"""Orders: from the question for a price to the rating of what arrived.

Words
    quote           a seller's binding price until a date, asked for or not.
    order           of one buyer to one seller, in a circle that both are in. A purchase over several owners is several
                    orders; the customer's *document* over them stands in the buyer's home.
    line            a quantity of one item. *Open*: the seller has not answered it (a *backorder*, once the rest was
                    confirmed). *Confirmed*: the seller is bound. Then shipped, then received.
    change          a confirmation that differs from the order (a substitute, a higher price, a later date); it counts
                    once the buyer accepts it.
    hold            a quantity of an offer kept for somebody until a time. An order shows the hold's secret and draws
                    on it; so an order in a relationship draws on an offer to a group that must not read the order.
    shipment        what left together, of one order. Its packing slip is neutral.
    receipt         what arrived of it: good, damaged, short, over. *Proof of delivery* is the hand-over signed by the
                    seller's side and the receipt signed by the buyer's. *Deemed received*: nobody signed in time.
    one-sided       an order in a firm's home: the partner is not in the network, the firm signs for both. It counts in
                    the firm's own figures, and is marked unproven wherever it is shown.

The life of an order
    The buyer places it; its lines reserve what they draw on. The seller confirms, in whole or part, now or later;
    or declines; or lets it lapse at `confirm_by`. What is confirmed is allocated in the seller's home, shipped, and
    leaves it; the offer's reservation becomes taken. The buyer receives: its home takes the goods in, unless they were
    drop-shipped. A return goes back the same way, once the seller accepts it. Every wait ends by itself: an answer, a
    change, a hold, a quote, a return, an unshipped rest at the cancel date, an unsigned shipment.

Invariants, at every position
    For each line: ordered = open + (confirmed - shipped) + shipped + cancelled, none below zero.
    For each shipment line: each = received + damaged + short once it is received; over is counted beside it.
    An offer's reserved quantity is the sum of what open lines and holds have on it; what was shipped from it is taken.
    In the circle: the promises of a line add up to its confirmed and unshipped quantity.
    A buyer can cancel what is open, never what is confirmed; a seller can never ship what is not confirmed.
    On the record stand aliases, offers, quantities and deadlines; no item, price, name, place or PO number.
"""
