"""Contracts: agreements as data, whose clauses run on what happens, and say why.

Words
    template        a contract's rules and prose with parameters open; public, named by its hash (`terms/`).
    proposal        terms that a party offers: template, parameters, who has which role, scope, times. Signed by all
                    roles it is an agreement's next *version*.
    agreement       what binds: its versions, each from a ledger time. An obligation binds to the version in force when
                    it arose: an order's when it was placed.
    clause          runs once for each key ("this delivery, this line") when its trigger stands and all facts that it
                    reads are attested by those who must have signed them.
    happening       an event as clauses hear it: told by orders, attested by parties, or made by the ledger's time.
    fold            the only memory of clauses: a state per agreement and period, each step with its entry.
    result          a clause's run with the record that explains it, step by step; who may read it recomputes it.
    award           a result in money: *pending* with its reason, *standing* when nobody objected in time or both
                    confirmed it, *disputed*, *void*. *Unproven*: of a one-sided agreement in a firm's home.
    dispute         an objection with a liable party, evidence and deadlines; an arbiter, if the agreement names one.
    clock, look     the circle's own waits, looked at daily and before every fact: no deadline stands on the record.

Invariants
    Nothing of an agreement is public but that a circle keeps a clock, and the digests that parties publish themselves.
    A clause gives at most one result for a key, whoever says the same again.
    Nobody is owed money by an event that they alone have signed. Who must sign, the template says.
    An award stands or falls once; what stands never exceeds what its clause gave; nothing else makes an award.
    Every wait ends: proposals lapse, objections run out, disputes without answer give the disputer right, undecided
    ones end as the agreement says.
    What a clause cannot compute ends in a failed run with its code; the delivery or event itself is never refused.
"""
