"""What matching takes and gives: items of a member's catalogue, matches, groups of items that are one."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Method = Literal["gtin", "brand_part", "suggestion"]


class Ref(NamedTuple):
    """One item of one catalogue: the owner's name and the owner's own number."""

    owner: str
    number: str


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a member's item master, as written there.

    Args:
        number: the member's own number, unique in its catalogue.
        gtin: GTIN-8, -12, -13 or -14; a wrong one counts as none.
        more: a long text, compared with less weight than the description.
        unit: UN/ECE code or a usual word for what one unit of `number` is.
        each_per_unit: how many each one unit holds, integer >= 0; 0 when not known.
    """

    number: str
    gtin: str = ""
    brand: str = ""
    part_number: str = ""
    description: str = ""
    more: str = ""
    unit: str = "C62"
    each_per_unit: int = 1


@dataclass(frozen=True, slots=True)
class Match:
    """Two items that are one (gtin, brand_part: accepted) or may be one (suggestion: a person decides).

    `score` is 1.0 for accepted matches, else 0..1. One unit of `a` is each_a each, one of `b` each_b each (0: unknown).
    `mutual`: each is the other's best suggestion.
    """

    a: Ref
    b: Ref
    method: Method
    score: float
    reasons: tuple[str, ...]
    each_a: int = 1
    each_b: int = 1
    mutual: bool = False

    @property
    def accepted(self) -> bool:
        """True when no person has to decide."""
        return self.method != "suggestion"


@dataclass(frozen=True, slots=True)
class Group:
    """Items of several catalogues that are one item, in (owner, number) order, and what speaks for and against it."""

    refs: tuple[Ref, ...]
    reasons: tuple[str, ...]
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    """The catalogues of many members matched: every item is in exactly one group (alone, if nothing matched it)."""

    groups: tuple[Group, ...]
    suggestions: tuple[Match, ...]
