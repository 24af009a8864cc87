"""Keys speak from their start until their end, and never after they were declared compromised."""

from hanse.rooms.parties import queries as parties_queries
from hanse.rooms.parties.facts import DescribeParty, RetireKey
from hanse.rooms.testing import Town, adding, kid

SAY = DescribeParty(name="A", city="Bremen", country="DE")


def town_with_second_key() -> Town:
    town = Town("a", "b", rooms=("parties",))
    town.must("a", adding("a", "a2"))
    return town


def test_both_keys_are_good_until_the_old_one_is_retired():
    town = town_with_second_key()
    assert town.do("a", SAY, kid=kid("a")).code == "ok"
    assert town.do("a", SAY, kid=kid("a2")).code == "ok"
    town.must("a", RetireKey(kid=kid("a"), until_at=town.now + 10))
    assert town.do("a", SAY, kid=kid("a")).code == "ok"
    town.tick(10)
    assert town.do("a", SAY, kid=kid("a")).code == "parties.key_ended"
    assert town.do("a", SAY, kid=kid("a2")).code == "ok"


def test_a_key_does_not_speak_before_its_start():
    town = Town("a", rooms=("parties",))
    town.must("a", adding("a", "a2", from_at=town.now + 50))
    assert town.do("a", SAY, kid=kid("a2")).code == "parties.key_not_yet"
    town.tick(50)
    assert town.do("a", SAY, kid=kid("a2")).code == "ok"


def test_a_compromised_key_says_nothing_more_from_the_same_moment():
    town = town_with_second_key()
    outcomes = town.block(
        town.sign_as("a", RetireKey(kid=kid("a"), compromised=True), kid=kid("a2")),
        town.sign_as("a", SAY, kid=kid("a")),
        town.sign_as("a", adding("a", "thief"), kid=kid("a")),
    )
    assert [outcome.code for outcome in outcomes] == ["ok", "parties.key_ended", "parties.key_ended"]
    assert town.do("a", SAY, kid=kid("thief")).code == "parties.unknown_key"


def test_a_retired_key_cannot_come_back_and_belongs_to_nobody_else():
    town = town_with_second_key()
    town.must("a", RetireKey(kid=kid("a")))
    assert town.do("a", adding("a", "a"), kid=kid("a2")).code == "parties.key_taken"
    assert town.do("b", adding("b", "a")).code == "parties.key_taken"


def test_the_last_key_stays_also_against_one_that_starts_later():
    town = Town("a", rooms=("parties",))
    town.must("a", adding("a", "a2", from_at=town.now + 100))
    assert town.refused("a", RetireKey(kid=kid("a"))) == "parties.last_key"
    town.must("a", RetireKey(kid=kid("a"), until_at=town.now + 100))


def test_nobody_speaks_with_anothers_key_and_an_alias_rotates_its_own():
    town = Town("a", "b", rooms=("parties",))
    assert town.do("a", SAY, kid=kid("b")).code == "parties.not_your_key"
    assert town.do("a", SAY, kid=kid("h-a")).code == "parties.not_your_key"
    added = town.sign("h-a", adding("h-a", "h-a2"), kid=kid("h-a"))
    retired = town.sign("h-a", RetireKey(kid=kid("h-a"), compromised=True), kid=kid("h-a2"))
    assert [outcome.code for outcome in town.block(added, retired)] == ["ok", "ok"]


def test_a_compromise_does_not_undo_what_the_key_signed_before():
    town = town_with_second_key()
    town.must("a", DescribeParty(name="Before", city="Bremen", country="DE"))
    town.do("a", RetireKey(kid=kid("a"), compromised=True), kid=kid("a2"))
    party = parties_queries.party(town.view(), "a")
    assert party is not None and party.name == "Before"
