"""Maintenance and repair items, and the different names under which forty firms know them.

Dimensions follow the public series (ISO 15 for ball bearings, ISO 3601 for O-rings, ISO 4184 for V-belts, ISO 4014 and
4017 for bolts, IEC frame powers for motors); brands and part numbers are invented.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from msgspec import Struct

from hanse.demo.cast import MANUFACTURERS, Firm

ALWAYS = "6204-2RS1"
"""The bearing of the story, which is in every selection."""


class Good(Struct, frozen=True):
    """One item. `maker`: the party that publishes it. `price_minor`: list price of one each, EUR cents.

    `rate`: relative demand: a few goods of hundreds, half of all below 9. `names`: language -> words.
    """

    item: str
    maker: str
    brand: str
    part_number: str
    gtin: str
    category: str
    names: dict[str, str]
    weight_g: int
    price_minor: int
    pack_each: int
    rate: float


def gtin(number: int) -> str:
    """A GTIN-14 under GS1's prefix for examples (952), with its check digit.

    >>> gtin(1)
    '09520000000011'
    """
    digits = f"0952{number:09d}"
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(digits))
    return digits + str(-total % 10)


_SUFFIXES = (
    ("2RS1", ("abgedichtet", "sealed")),
    ("2RS1/C3", ("abgedichtet C3", "sealed C3")),
    ("2Z", ("Deckscheiben", "shielded")),
    ("2Z/C3", ("Deckscheiben C3", "shielded C3")),
    ("", ("offen", "open")),
)
_HEADS = (
    ("4017", "Sechskantschraube ISO", "Hex bolt ISO"),
    ("4762", "Zylinderschraube ISO", "Socket head screw ISO"),
    ("7380", "Linsenschraube ISO", "Button head screw ISO"),
)


def _bearings() -> Iterator[tuple[str, dict[str, str], int, int, float]]:
    bores = {0: 10, 1: 12, 2: 15, 3: 17} | {k: 5 * k for k in range(4, 21)}
    for series, wide in (("60", 1.0), ("62", 1.3), ("63", 1.8), ("68", 0.5), ("69", 0.7)):
        for code, bore in bores.items():
            for suffix, words in _SUFFIXES:
                designation = f"{series}{code:02d}" + (f"-{suffix}" if suffix else "")
                names = {
                    "de": f"Rillenkugellager {designation} d={bore} mm {words[0]}",
                    "en": f"Deep groove ball bearing {designation} bore {bore} mm {words[1]}",
                }
                grams = int(bore**1.9 * wide * 0.35) + 8
                yield designation, names, grams, int(180 + grams * 1.9 + (60 if suffix else 0)), 24 / (1 + code * 0.4)
    for code in range(3, 21):
        names = {"de": f"Kegelrollenlager 302{code:02d}", "en": f"Tapered roller bearing 302{code:02d}"}
        yield f"302{code:02d}", names, 60 + code * 90, 900 + code * 260, 3 / (1 + code * 0.2)


def _seals() -> Iterator[tuple[str, dict[str, str], int, int, float]]:
    for shaft in (10, 12, 15, 17, 20, 22, 25, 28, 30, 32, 35, 38, 40, 45, 50, 55, 60, 70, 80, 90, 100):
        for extra in (12, 15, 20):
            for material, factor in (("NBR", 1), ("FKM", 4)):
                size = f"{shaft}x{shaft + extra}x{7 if shaft < 50 else 10}"
                names = {"de": f"Wellendichtring {size} {material}", "en": f"Rotary shaft seal {size} {material}"}
                yield f"WDR {size} {material}", names, 8 + shaft // 2, (95 + shaft * 6) * factor, 9 / factor
    for inner in (3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 25, 30, 35, 40, 50, 60, 75, 90, 110, 150, 200):
        for section in ("1.8", "2.65", "3.55", "5.3"):
            names = {"de": f"O-Ring {inner}x{section} NBR 70", "en": f"O-ring {inner} x {section} NBR 70"}
            yield f"OR {inner}x{section}", names, 1 + inner // 10, 12 + inner, 12.0


def _belts() -> Iterator[tuple[str, dict[str, str], int, int, float]]:
    for profile, price in (("SPZ", 5), ("SPA", 7), ("SPB", 11), ("SPC", 19)):
        for length in (*range(630, 1600, 75), *range(1600, 3600, 200)):
            names = {"de": f"Keilriemen {profile} {length} Lw", "en": f"V-belt {profile} {length}"}
            yield f"{profile} {length}", names, length // 9, length * price // 10, 5.0
    for pitch in ("5M", "8M", "14M"):
        for length in range(400, 2800, 120):
            names = {"de": f"Zahnriemen HTD {length}-{pitch}-25", "en": f"Timing belt HTD {length}-{pitch}-25"}
            yield f"HTD {length}-{pitch}-25", names, length // 12, 600 + length, 1.6
    for power, price in (
        ("0.18", 118),
        ("0.37", 139),
        ("0.55", 158),
        ("0.75", 187),
        ("1.1", 221),
        ("1.5", 262),
        ("2.2", 318),
        ("3", 389),
        ("4", 466),
        ("5.5", 612),
        ("7.5", 755),
        ("11", 1080),
    ):
        for poles in (2, 4, 6):
            names = {
                "de": f"Drehstrommotor {power} kW {poles}-polig B3 IE3",
                "en": f"Three-phase motor {power} kW {poles}-pole B3 IE3",
            }
            yield f"M {round(float(power) * 1000)}W-{poles} B3", names, 5000 + price * 90, price * 100, 0.5


def _fasteners() -> Iterator[tuple[str, dict[str, str], int, int, float]]:
    for size in (4, 5, 6, 8, 10, 12, 16, 20):
        for length in (10, 12, 16, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 100, 120):
            if length < size * 1.5:
                continue
            for norm, german, english in _HEADS:
                for grade, factor in (("8.8 zn", 1), ("A2-70", 3), ("A4-80", 5)):
                    names = {
                        "de": f"{german} {norm} M{size}x{length} {grade}",
                        "en": f"{english} {norm} M{size} x {length} {grade}",
                    }
                    price = (3 + size * length // 60) * factor
                    yield f"{norm} M{size}x{length} {grade}", names, 1 + size * size * length // 1100, price, 14.0
        for what, de, en in (
            ("934", "Sechskantmutter", "Hex nut"),
            ("125", "Scheibe", "Washer"),
            ("985", "Sicherungsmutter", "Lock nut"),
        ):
            for grade in ("8 zn", "A2", "A4"):
                names = {"de": f"{de} DIN {what} M{size} {grade}", "en": f"{en} DIN {what} M{size} {grade}"}
                yield f"{what} M{size} {grade}", names, 1 + size // 2, 2 + size, 16.0


def _filters() -> Iterator[tuple[str, dict[str, str], int, int, float]]:
    for micron in (3, 5, 10, 25, 50):
        for length in (100, 160, 240, 320, 400, 500, 750, 1000):
            for kind, de, en in (
                ("HY", "Hydraulikfilterelement", "Hydraulic filter element"),
                ("LU", "Luftfilterpatrone", "Air filter cartridge"),
                ("OL", "Ölfilter", "Oil filter"),
            ):
                names = {"de": f"{de} {length} mm {micron} µm", "en": f"{en} {length} mm {micron} micron"}
                yield f"{kind}-{length}-{micron}", names, 120 + length, 900 + length * 6 + 4000 // micron, 2.5
    for bore in (6, 8, 10, 13, 16, 19, 25, 32, 38, 51):
        for braid in ("1SN", "2SN", "4SP"):
            for length in (500, 1000, 2000, 3000):
                names = {
                    "de": f"Hydraulikschlauch {braid} DN{bore} {length} mm",
                    "en": f"Hydraulic hose {braid} DN{bore} {length} mm",
                }
                yield f"HS {braid} DN{bore} {length}", names, bore * length // 22, 400 + bore * length // 9, 1.2


def _sensors() -> Iterator[tuple[str, dict[str, str], int, int, float]]:
    for size in (8, 12, 18, 30):
        for reach in (2, 4, 8, 15):
            for output in ("PNP NO", "PNP NC", "NPN NO"):
                names = {
                    "de": f"Induktiver Näherungsschalter M{size} Sn={reach} mm {output}",
                    "en": f"Inductive proximity switch M{size} Sn={reach} mm {output}",
                }
                yield (
                    f"IN{size}-{reach}-{output.replace(' ', '')}",
                    names,
                    20 + size * 3,
                    1450 + size * 60 + reach * 40,
                    2.0,
                )
    for current in (9, 12, 18, 25, 32, 40, 50, 65, 80, 95):
        for coil in ("24 V DC", "110 V AC", "230 V AC"):
            names = {"de": f"Schütz {current} A AC-3 Spule {coil}", "en": f"Contactor {current} A AC-3 coil {coil}"}
            yield f"C{current}-{coil.replace(' ', '')}", names, 300 + current * 6, 1900 + current * 120, 1.8
    for ampere in range(1, 64, 2):
        names = {"de": f"Leitungsschutzschalter B{ampere} 1-polig", "en": f"Circuit breaker B{ampere} 1-pole"}
        yield f"LS B{ampere}", names, 110, 420 + ampere * 4, 6.0


ORDERED = {"fasteners": 0.3, "seals": 0.6, "drives": 2.0, "filters and hoses": 2.5, "sensors and switchgear": 2.5}
"""How often a category is ordered, beside bearings, for what its makers' lists hold."""
SKEW, SKEW_MAX = 0.8, 12.0


def popularity(number: int) -> float:
    """How much more a good is asked for than the least of its kind: a power law, spread over the list.

    With it a fifth of the goods makes more than half of the demand; an even demand over thousands of goods is
    nobody's. Knuth's multiplicative hash stands for a dice that does not depend on what else is thrown.

    >>> [round(popularity(number), 1) for number in (1, 2, 3, 4, 126)]
    [1.5, 3.2, 1.1, 1.8, 1.1]
    """
    return float(min(SKEW_MAX, ((number * 2_654_435_761 % 2**32 + 0.5) / 2**32) ** -SKEW))


_RANGES = (
    ("bearings", "Nordlager", _bearings),
    ("drives", "Kogge", _belts),
    ("seals", "Dichtwerk", _seals),
    ("fasteners", "Baltic", _fasteners),
    ("filters and hoses", "Filtra", _filters),
    ("sensors and switchgear", "Weser", _sensors),
)


def catalogue(limit: int | None = None) -> list[Good]:
    """All goods, in a fixed order; `limit`: only every so many, for a small demo."""
    goods = []
    number = 0
    for firm, (category, brand, make) in zip(MANUFACTURERS, _RANGES, strict=True):
        for part_number, names, weight_g, price_minor, rate in make():
            number += 1
            goods.append(
                Good(
                    item=f"{firm.prefix.lower()}-{number:05d}",
                    maker=firm.party,
                    brand=brand,
                    part_number=part_number,
                    gtin=gtin(number),
                    category=category,
                    names=names,
                    weight_g=weight_g,
                    price_minor=price_minor,
                    pack_each=50 if category == "fasteners" else 10 if part_number.startswith("OR ") else 1,
                    rate=rate * ORDERED.get(category, 1.0) * popularity(number),
                )
            )
    if limit is None or limit >= len(goods):
        return goods
    step = len(goods) / limit
    few = [goods[int(i * step)] for i in range(limit)]
    return few + [good for good in goods if good.part_number == ALWAYS and good not in few]


class OwnName(Struct, frozen=True):
    """What one firm calls a good. An empty gtin or part number: its system never held it."""

    own_number: str
    description: str
    brand: str
    part_number: str
    gtin: str


def own_name(firm: Firm, good: Good, at: int, dice: random.Random) -> OwnName:
    """A firm's own number and words: its prefix, its language, its habits, and what its clerks left out.

    Args:
        at: the good's place in the firm's list.
    """
    style = sum(map(ord, firm.prefix)) % 3
    number = (
        f"{firm.prefix}-{100000 + at * 7}",
        f"{firm.prefix}{at // 100:02d}.{at % 100:02d}0",
        f"{at:05d}/{firm.prefix}",
    )[style]
    words = good.names[firm.language]
    if dice.random() < 0.35:
        words = _shorten(words)
    part = good.part_number
    habit = dice.random()
    if habit < 0.25:
        part = part.replace(" ", "").replace("-", "")
    elif habit < 0.4:
        part = part.replace("-", " ").upper()
    kept_gtin = good.gtin if dice.random() < 0.7 else ""
    kept_part = part if dice.random() < 0.93 else ""
    brand = good.brand if dice.random() < 0.8 else good.brand.upper() + dice.choice((" AB", " GmbH", ""))
    return OwnName(number, words, brand, kept_part, kept_gtin)


def _shorten(words: str) -> str:
    """How clerks abbreviate.

    >>> _shorten("Rillenkugellager 6204-2RS1 d=20 mm abgedichtet")
    'Rillenkugell. 6204-2RS1 d=20 mm abgedichtet'
    """
    first, _, rest = words.partition(" ")
    return f"{first[:12]}. {rest}" if len(first) > 13 else f"{rest}, {first}"
