"""Plans: which owner's stock serves which open line, proposed by anybody, checked by everybody, attested by readers.

Words
    window          a question and a time: the open lines of a group or of a firm, what each costs from each source, and
                    until when plans may be proposed. Its lines and costs are known in its circle only. All plans of a
                    window answer the same question, so that their costs compare.
    source          an offer, with the quantity that was open when the window opened; or own stock, known at home only.
    plan            which source serves how much of which line, with prices of the sources that prove a *bound*: no plan
                    at all can cost less. The *gap* is how far above the bound the plan costs, at most.
    attestation     a reader of the costs has recomputed the bound: good, or bad. In a group nobody attests their own.
    best            of a window: attested good more often than bad; then the least refused, the lowest cost, the
                    smallest hash. At the window's end the best wins.
    refused in part offers that ended, or shrank, after the window opened: the assignments on them are listed as refused
                    and the rest of the plan stands.

Invariants
    What a plan draws of an offer is, in sum, at most what was open of it when the window opened; one unit more and the
    whole plan is refused.
    What stands of a plan draws, in sum, at most what was open of each offer when it was checked last.
    A plan's hash is that of its assignments and prices; its gap follows from its cost and bound.
    A plan reserves nothing: orders do.
"""
