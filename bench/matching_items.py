"""Maintenance and repair items that many firms keep under different numbers, names, brands' spellings and packs."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from hanse.planning.matching import Item
from hanse.standards.gtin import check_digit


@dataclass(frozen=True, slots=True)
class Member:
    """One firm's catalogue; `thing` says which true item each own number is."""

    owner: str
    items: Sequence[Item]
    thing: dict[str, int]


@dataclass(frozen=True, slots=True)
class Thing:
    """One true item: its maker's data, and names in several languages with room for technical values."""

    brand: str
    part: str
    gtin: str
    kind: str
    values: str
    values_other: str


NAMES = {
    "bearing": [
        "deep groove ball bearing",
        "ball brg",
        "bearing, ball, single row",
        "Rillenkugellager",
        "roulement à billes",
    ],
    "taper": ["tapered roller bearing", "brg taper roller", "Kegelrollenlager", "roulement à rouleaux coniques"],
    "seal": ["rotary shaft seal", "oil seal NBR", "seal, shaft", "Wellendichtring", "joint à lèvre", "retén"],
    "oring": ["O-ring NBR 70", "oring nitrile 70 sh", "O-Ring Dichtung NBR", "joint torique NBR"],
    "belt": ["V-belt wedge", "vbelt narrow", "belt, V, wrapped", "Schmalkeilriemen", "courroie trapézoïdale"],
    "filter": ["oil filter spin-on", "fltr hydraulic return", "filter element", "Ölfilter", "filtre à huile"],
    "bolt": ["hex head bolt", "blt hex hd", "hexagon screw full thread", "Sechskantschraube", "vis tête hexagonale"],
    "nut": ["hex nut", "nut hexagon", "Sechskantmutter", "écrou hexagonal", "tuerca hexagonal"],
    "motor": ["electric motor 3 phase", "mtr 3ph", "motor, asynchronous", "Drehstrommotor", "moteur asynchrone"],
    "contactor": ["contactor 3 pole", "cntr 3p", "Schütz 3-polig", "contacteur tripolaire"],
    "valve": ["solenoid valve 5/2", "vlv solenoid 5/2", "Magnetventil 5/2", "électrovanne 5/2"],
    "hose": ["hydraulic hose 2SN", "hose hyd 2 wire", "Hydraulikschlauch 2SN", "flexible hydraulique 2SN"],
    "chain": ["roller chain simplex", "chain, roller", "Rollenkette", "chaîne à rouleaux"],
    "coupling": ["jaw coupling spider", "cplg spider", "Kupplungsstern", "accouplement élastomère"],
}
BRANDS = {
    "SKF": ["SKF", "SKF AB", "S.K.F.", "skf"], "FAG": ["FAG", "Schaeffler FAG", "FAG Bearings"],
    "NSK": ["NSK", "NSK Ltd.", "N.S.K."], "Simrit": ["Simrit", "Freudenberg Simrit", "SIMRIT"],
    "Gates": ["Gates", "Gates Rubber Company", "GATES CORP."], "Optibelt": ["Optibelt", "optibelt GmbH"],
    "MANN": ["MANN-FILTER", "Mann+Hummel", "MANN"], "Parker": ["Parker", "Parker Hannifin", "PARKER-HANNIFIN CORP"],
    "Siemens": ["Siemens", "SIEMENS AG"], "ABB": ["ABB", "ABB Ltd", "A.B.B."], "Festo": ["Festo", "FESTO SE & Co. KG"],
    "SMC": ["SMC", "SMC Corporation"],
    "Bossard": ["Bossard", "Bossard AG"], "Wurth": ["Würth", "Adolf Würth GmbH", "WURTH"],
    "iwis": ["iwis", "IWIS SE"],
    "KTR": ["KTR", "KTR Systems GmbH"], "Schneider": ["Schneider Electric", "Telemecanique"],
}  # fmt: skip


def _bearing(rng: random.Random) -> tuple[str, str, str, str]:
    bore = rng.randrange(0, 21)
    series = rng.choice(["60", "62", "63", "68", "69"])
    mm = [10, 12, 15, 17][bore] if bore < 4 else bore * 5
    outer, width = mm + rng.choice([16, 20, 27, 32]), rng.choice([8, 9, 11, 12, 14, 15])
    tail = rng.choice(["", "-2RSH", "-2Z", "-2RS1", "-2RSH/C3", "/C3", "-2Z/C3", "-ZZ", "-RS"])
    return (
        rng.choice(["SKF", "FAG", "NSK"]),
        f"{series}{bore:02d}{tail}",
        f"{mm}x{outer}x{width} mm",
        f"{mm}-{outer}-{width}",
    )


def _seal(rng: random.Random) -> tuple[str, str, str, str]:
    a, c = rng.randrange(8, 120), rng.choice([7, 8, 10, 12])
    b = a + rng.choice([10, 12, 15, 18, 20])
    style = rng.choice(["BA", "BASL", "BAUM", "CB"])
    return (
        rng.choice(["Simrit", "SKF", "Parker"]),
        f"{style}{a}-{b}-{c}",
        f"{a}x{b}x{c} {style}",
        f"{style} {a}/{b}/{c}mm",
    )


def _belt(rng: random.Random) -> tuple[str, str, str, str]:
    profile, length = rng.choice(["SPZ", "SPA", "SPB", "XPZ", "XPA"]), rng.randrange(60, 400) * 10
    maker = rng.choice(["Gates", "Optibelt", "SKF"])
    return maker, f"{profile}{length}", f"{profile} {length} mm", f"{profile} {length}LW"


def _bolt(rng: random.Random) -> tuple[str, str, str, str]:
    m, length, grade = (
        rng.choice([4, 5, 6, 8, 10, 12, 16, 20]),
        rng.randrange(2, 30) * 5,
        rng.choice(["8.8", "10.9", "A2", "A4"]),
    )
    din = rng.choice(["933", "931", "912"])
    part = f"{rng.choice(['1100', '1200', '1385'])}{m:03d}{length:03d}{grade.replace('.', '')}"
    return (
        rng.choice(["Bossard", "Wurth"]),
        part,
        f"DIN {din} M{m}x{length} {grade}",
        f"M{m} x {length} {grade} DIN{din}",
    )


def _motor(rng: random.Random) -> tuple[str, str, str, str]:
    kw, pole = rng.choice([0.37, 0.55, 0.75, 1.1, 1.5, 2.2, 3, 4, 5.5, 7.5, 11]), rng.choice([2, 4, 6])
    volt, mount = rng.choice([230, 400, 690]), rng.choice(["B3", "B5", "B14"])
    frame, winding = f"{rng.choice('ABCDE')}{rng.randrange(10, 99)}", f"{rng.choice('ABC')}{rng.randrange(10, 99)}"
    part = f"1LE{rng.randrange(1000, 1010)}-{frame}-{winding}"
    return (
        rng.choice(["Siemens", "ABB"]),
        part,
        f"{kw} kW {pole} pole {volt}V {mount}",
        f"{kw:g}kW {volt} V {pole}P {mount} IE3".replace(".", ","),
    )


def _filter(rng: random.Random) -> tuple[str, str, str, str]:
    size = rng.randrange(600, 1400)
    part = f"{rng.choice(['W', 'WK', 'HU', 'C'])} {size}/{rng.randrange(1, 99)}"
    return (
        rng.choice(["MANN", "Parker"]),
        part,
        f"{rng.choice([10, 20, 30])} micron H{rng.randrange(70, 240)}",
        f"height {rng.randrange(70, 240)}",
    )


def _valve(rng: random.Random) -> tuple[str, str, str, str]:
    volt, port = rng.choice([24, 110, 230]), rng.choice(["1/8", "1/4", "3/8", "1/2"])
    series = f"{rng.choice(['VUVS', 'SY', 'MFH', 'CPE'])}{rng.randrange(10, 99)}"
    part = f"{series}-{rng.choice('MLQ')}{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}"
    return rng.choice(["Festo", "SMC", "Parker"]), part, f"G{port} {volt}VDC", f"{volt} V G {port}"


def _contactor(rng: random.Random) -> tuple[str, str, str, str]:
    ampere, volt = rng.choice([9, 12, 18, 25, 32, 40, 65]), rng.choice([24, 110, 230])
    coil = rng.choice(["P7", "BD", "M7", "-1AP00", "-30-10-13"])
    part = f"{rng.choice(['LC1D', '3RT20', 'AF'])}{ampere:02d}{coil}{rng.randrange(10)}"
    return rng.choice(["Siemens", "ABB", "Schneider"]), part, f"{ampere}A coil {volt}V", f"{ampere} A, {volt} V"


def _hose(rng: random.Random) -> tuple[str, str, str, str]:
    inch, mm = rng.choice([("1/4", "6"), ("3/8", "10"), ("1/2", "13"), ("3/4", "19"), ("1", "25")])
    bar = rng.choice([165, 215, 275, 330, 400])
    part = f"{rng.choice(['301SN', 'MXT', '2SN'])}-{rng.randrange(4, 24)}-{rng.randrange(100, 999)}"
    return rng.choice(["Parker", "Gates"]), part, f'{inch}" {bar} bar', f"DN{mm} {bar}bar"


def _small(rng: random.Random) -> tuple[str, str, str, str]:
    a, b = rng.randrange(10, 400), rng.randrange(1, 60)
    part = f"{rng.choice(['R', 'KR', '05B', '08B', '10B', 'N'])}-{a}.{b}"
    return rng.choice(["iwis", "KTR", "Bossard", "Parker"]), part, f"{a}x{b} mm", f"{a} x {b}"


MAKERS = {
    "bearing": _bearing, "taper": _bearing, "seal": _seal, "oring": _small, "belt": _belt, "filter": _filter,
    "bolt": _bolt, "nut": _bolt, "motor": _motor, "contactor": _contactor, "valve": _valve, "hose": _hose,
    "chain": _small, "coupling": _small,
}  # fmt: skip


def things(rng: random.Random, count: int) -> list[Thing]:
    """Make true items; no two have the same brand and part number."""
    found: dict[tuple[str, str], Thing] = {}
    serial = 0
    while len(found) < count:
        kind = rng.choice(sorted(MAKERS))
        brand, part, values, other = MAKERS[kind](rng)
        if (brand, part) in found:
            part = f"{part}.{rng.randrange(1000, 99999)}" if len(found) > count // 2 else part
        if (brand, part) in found:
            continue
        serial += 1
        body = f"{400000000000 + serial * 37}"
        found[brand, part] = Thing(brand, part, body + str(check_digit(body)), kind, values, other)
    return list(found.values())


def members(seed: int, firms: int, count: int) -> list[Member]:
    """Make catalogues of `count` items each: half of every catalogue is common goods, half less so."""
    rng = random.Random(seed)
    world = things(rng, count * 3 if firms <= 4 else count * 6)
    common = world[:count]
    crowd = []
    for firm in range(firms):
        chosen = rng.sample(common, count * 6 // 10) + rng.sample(world[count:], count - count * 6 // 10)
        index = {id(t): n for n, t in enumerate(world)}
        items, thing = [], {}
        for place, one in enumerate(chosen):
            item = _renamed(rng, one, f"{firm:02d}-{100000 + place * 3}")
            items.append(item)
            thing[item.number] = index[id(one)]
        crowd.append(Member(f"firm{firm:02d}", items, thing))
    return crowd


def true_pairs(one: Member, other: Member) -> dict[str, str]:
    """Own number of `one` -> own number of `other`, for what both keep."""
    back = {t: number for number, t in other.thing.items()}
    return {number: back[t] for number, t in one.thing.items() if t in back}


def _renamed(rng: random.Random, one: Thing, number: str) -> Item:
    """One item as some firm would write it: GTIN in 45 %, brand field in 75 %, part number field in 65 %."""
    part = _respelled(rng, one.part)
    brand = rng.choice(BRANDS[one.brand])
    words = [rng.choice(NAMES[one.kind]), rng.choice([one.values, one.values_other])]
    has_part = rng.random() < 0.65
    if not has_part or rng.random() < 0.4:
        words.insert(rng.randrange(3), part)
    if rng.random() < 0.4:
        words.insert(rng.randrange(len(words) + 1), brand)
    text = _typo(rng, " ".join(words))
    if rng.random() < 0.3:
        text = text.upper()
    gtin = one.gtin if rng.random() < 0.45 else ""
    pack = rng.random() < 0.1
    if pack:
        gtin = ""
    return Item(
        number,
        gtin=gtin.zfill(14) if gtin and rng.random() < 0.3 else gtin,
        brand=brand if rng.random() < 0.75 else "",
        part_number=(part + rng.choice(["", "", "-BX", " (pack of 10)"]) if pack else part) if has_part else "",
        description=text,
        unit="BX" if pack else "C62",
        each_per_unit=10 if pack else 1,
    )


def _respelled(rng: random.Random, part: str) -> str:
    way = rng.randrange(6)
    if way == 0:
        return part.replace("-", "").replace("/", " ")
    if way == 1:
        return part.replace("-", " ")
    if way == 2:
        return part.lower()
    if way == 3:
        return part.replace("/", "-")
    return part


def _typo(rng: random.Random, text: str) -> str:
    if rng.random() > 0.15 or len(text) < 6:
        return text
    at = rng.randrange(1, len(text) - 2)
    if text[at].isdigit() or text[at + 1].isdigit():
        return text
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
