"""Matching: forty members use forty part numbers for the same item.

First GTIN (check digit verified, fourteen digits), then brand and part number brought to one form, then ranked
suggestions. The first two are accepted by themselves; a suggestion never is: a person decides. Packs and units convert
(`hanse.standards.units`); an item whose pack size is unknown says so. Plain data in, plain data out; no I/O.
"""

from hanse.planning.matching.items import Group, Item, Match, Network, Ref
from hanse.planning.matching.pairing import Options, match, match_many
from hanse.planning.matching.worklist import Coverage, coverage

__all__ = ["Coverage", "Group", "Item", "Match", "Network", "Options", "Ref", "coverage", "match", "match_many"]
