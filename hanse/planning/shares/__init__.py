"""Fair shares: what pooling saves, shared so that no subgroup would do better alone.

    game = Newsvendor(demand[scenario, member], holding, shortage)   or   Linear(matrix, cost, need[member, row])
    charges = dual_shares(game)               minor units [member], in the core: units x posted price
    leaving(game, charges, coalitions)        how many would gain by leaving, worst overcharge
    nearest_to_leaving(game, charges)         which comes nearest, by how much it falls short, and the proof
    settle(charges, total_minor, alone)       whole minor units that sum exactly

Limits, to be shown: the plan that is carried out costs more than the linear program (the rest is spread by stand-alone
cost); a game on *realised* demand can have an empty core (Hartman and Dror, 2005): settle on the expectation, true up
over time with settle().
"""

from hanse.planning.shares.core import Leaving, Nearest, every_coalition, leaving, nearest_to_leaving, random_coalitions
from hanse.planning.shares.game import Game, Linear, Newsvendor
from hanse.planning.shares.rules import all_rules, dual_shares, proportional_shares, settle, shapley_shares

__all__ = [
    "Game",
    "Leaving",
    "Linear",
    "Nearest",
    "Newsvendor",
    "all_rules",
    "dual_shares",
    "every_coalition",
    "leaving",
    "nearest_to_leaving",
    "proportional_shares",
    "random_coalitions",
    "settle",
    "shapley_shares",
]
