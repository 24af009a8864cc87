"""Accounts: what firms owe each other, to the cent, in books that both sides of a relationship read alike.

Words
    entry           one posting: lines of (account, amount), debit positive, that sum to zero. Never rewritten.
    direction       who supplied, who is the customer. A pair that trades both ways has two directions.
    account         of one direction and currency. Lines stand in the supplier's view; the customer's is its mirror:
                    due (receivable / payable), unbilled, goods (sales / purchases), tax, discount, credit (damages and
                    rebates granted / received), accrued, bank, escrow, deposit, assigned, netting, opening.
    item            what is owed by one document: an invoice, a credit note, money on account. *Open*: not yet settled.
    accrual         an amount with its reason that is not yet owed: a clause result within its objection period.
    cycle           multilateral netting of a circle under a named treasurer.
    outsider        a partner that is not in the network, written `~ITS NAME`; books with it are one-sided, unproven.

How money moves
    Goods received are *unbilled* until invoiced; an invoice names what of which delivery it bills, never more than was
    received, and states the totals that the rules compute. A payment counts once payer and payee have signed it; where
    the payee signed first and the payer stays silent, the payee's word stands, since it speaks against itself.
    A clause result is a pending accrual; it becomes a credit item when it stands, and is reversed when it falls.
    Escrow is held by a named holder and ends by itself: floor(held x accepted / ordered) released, the rest refunded.
    A debt is assigned (a group bills or pays centrally) by two-sided signatures in each of the relationships.

Invariants, at every position
    The lines of each entry sum to zero, and so do the accounts of each direction and currency.
    For each direction and currency, the account `due` is the sum of its open items.
    No quantity is billed twice, none that was not received good, or that went back; no item is paid beyond itself.
    On the record stand kinds, aliases, document numbers and deadlines; no amount, price, partner or reason.
"""
