"""The kernel: facts in, state out.

Words
    fact        what a party signs: a typed struct of one *kind* (`orders.place`), carried as an SD-JWT.
    field       public (on the record), `Commercial` (a digest on the record, disclosed to one circle) or
                `Personal` (as commercial, may be erased, never read by a rule).
    circle      the parties that may read a fact's commercial fields. A *home* is a circle of one party.
    row, table  state: frozen structs in declared tables, each owned by one room.
    draft       what one fact wants to write. It becomes state as a whole, or not at all.
    rule        a pure function of (draft, fact). A *public* rule may refuse; a *circle* rule and a *home* rule see
                what was disclosed, write their own circle's tables only, and end in a private outcome.
    event       what a rule tells; rooms that come later subscribe in their `ON` table.
    timer       a wait that ends by itself, at a ledger time.
    block       facts in their agreed order, under one ledger time.

Invariants
    Rules see state and fact only: no clock, disk, network, float, random, environment or set order.
    A public rule never sees a commercial field, also on a node that holds it: every node computes the same state.
    A refusal leaves state as it was. Integers fit in 64 bits. Every row names the position that wrote it.
    The same (key, nonce) never takes effect twice.
"""
