"""Group: firms that buy together under a manager, who sees their totals and shows no member another's price.

Words
    group           members of one group circle. The *manager* opened it; others join and leave.
    round           a joint purchase of one item: tiers of price by quantity, a deadline, committed demand.
    commitment      what one member will take at the tier that is reached. Known to that member and the manager.
    rebate          what a supplier pays the group on what its members bought, by tiers of the group's total.
    report          a member's own word to the manager on what it bought under a rebate: by invoices signed in the
                    network, and by its own books, apart.
    statement       a member's share of what was earned, to the cent: by its purchases, the largest remainders first.
    group lot       goods that the manager owns and members keep; they move by transfers at cost plus (inventory).

Who sees what
    The record: that a circle has a round, its deadline and state; numbers of commitments and statements between
    pseudonyms. The group: item, tiers, totals as the manager tells them. A relationship of member and manager: this
    member's commitment, report and statement. No circle holds two members' words.

Totals of few
    A total of one member is that member's figure, and of two each reads the other's. So the doors sign no total told
    to the group that rests on fewer than three members who committed, or bought anything (`telling.py`). Three acts
    say more. Closing a round names its total, of however many: by it each checks the price. So does a statement: each
    checks its share by it. And who is told two totals reads in their difference what came between, at most one
    member's word where one alone spoke.

Invariants
    A round counts each member's last commitment before its deadline, once. Every round ends: closed, or lapsed.
    Shares of what was earned add up to it, and none differs by a whole cent from its exact part.
    What the manager tells of totals is what an auditor of its home recomputes from signed entries.
"""
