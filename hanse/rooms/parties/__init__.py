"""Parties: who is here, with which keys, and who may read what together.

Words
    party           a firm or a person in trade, known by its public profile. The *registrar* endorses aliases.
    invitation      a secret, given by hand, from which a key follows: its public half is on the record, and opens the
                    door once.
    key             an Ed25519 public key that speaks for a party or an alias from one time until another.
    alias           a key that the registrar has endorsed as a member's, without saying on the record whose, for one
                    circle, without saying which before it is opened.
    consent         a party's own signature that it is, by an alias, in a circle that somebody opens.
    circle          parties that trade in confidence, listed on the record by their aliases. *home*: a party alone.
                    *relationship*: two parties. *group*: several.
    site            a place of a party, with coordinates. staff: people who act for it, with roles and limits.
    permit          whom an owner sells to, or not: by partner, and by brand or category.
    channel         whom a brand's owner has authorised to sell its brand, in which countries. Public.

Invariants
    A key belongs to one owner for ever, and is added only by who holds it. No fact counts that was signed by a key
    before its time, after its end or after it was declared compromised.
    Nobody is in a circle without its own consent to it; an alias is named in one circle, once, and a party once.
    Only a circle's members write in it. Which party stands behind an alias is known to the circle and the registrar.
    A party has at least one valid key, and at most one home.
"""
