"""Units of measure and packs: codes of UN/ECE Recommendation 20 and 21, and exact conversion.

A measure has a fixed ratio to the base of its dimension. A pack (box, case, pallet) has none: how many it holds is a
fact about the item, and the caller says it. Ratios are pairs of integers; what would not come out whole is refused.

Source: UN/ECE Recommendation 20 (codes for units of measure) annex I; Recommendation 21 annex V (packages, which in
Recommendation 20 carry the prefix X); the inch and the pound of the international agreement of 1959 (25.4 mm,
453.592 37 g); NIST Handbook 44 appendix C (US gallon, 3.785 411 784 l).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

BASES = {"count": "C62", "mass": "GRM", "length": "MMT", "area": "MMK", "volume": "MLT", "time": "SEC"}


class UnitError(ValueError):
    """A unit or conversion is refused; `code` is the contract.

    Codes: unit.unknown, unit.other_dimension, unit.pack_unknown, unit.inexact.
    """

    def __init__(self, code: str, got: str, expected: str, next_step: str) -> None:
        super().__init__(f"{code}: got {got!r}, expected {expected}; {next_step}")
        self.code, self.got, self.expected, self.next = code, got, expected, next_step


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: `numerator/denominator` base units of its dimension; a pack has 0/1 (its content is the item's)."""

    code: str
    name: str
    dimension: str
    numerator: int
    denominator: int = 1

    @property
    def is_pack(self) -> bool:
        """True for a pack, whose content is said by the item."""
        return self.numerator == 0


_TABLE = """
C62|one|count|1|1|each,unit,units,one,stk,stück,stueck,st,stck,unité,unidad,u,un,ud,uds,nos,no
EA|each|count|1|1|ea.
H87|piece|count|1|1|pc,pcs,pce,piece,pieces,pièce,pieza,piezas,pz,pza,pz.
PR|pair|count|2|1|pair,pairs,paar,paire,par,prs
DZN|dozen|count|12|1|dozen,dz,doz,dtz,dutzend,douzaine,docena,dzp
DPC|dozen piece|count|12|1|
GRO|gross|count|144|1|gross,gros
CEN|hundred|count|100|1|hundred,hd,cent,c100
HC|hundred count|count|100|1|
MIL|thousand|count|1000|1|thousand,tausend,mille,mil.
T3|thousand piece|count|1000|1|tpc,mpcs
MGM|milligram|mass|1|1000|mg
GRM|gram|mass|1|1|g,gr,gram,grams,gramm,gramme,gramo
KGM|kilogram|mass|1000|1|kg,kgs,kilo,kilogram,kilogramm,kilogramme,kilogramo
TNE|tonne|mass|1000000|1|t,to,tonne,tonnes,tonelada,mt
LBR|pound|mass|45359237|100000|lb,lbs,pound,pounds
ONZ|ounce|mass|28349523125|1000000000|oz,ounce,ounces
MMT|millimetre|length|1|1|mm,millimeter,millimetre
CMT|centimetre|length|10|1|cm,centimeter,centimetre
MTR|metre|length|1000|1|m,mtr,meter,metre,metres,mètre,metro,lfm
KMT|kilometre|length|1000000|1|km
INH|inch|length|254|10|in,inch,inches,zoll,pouce
FOT|foot|length|3048|10|ft,foot,feet
YRD|yard|length|9144|10|yd,yard,yards
MMK|square millimetre|area|1|1|mm2,mm²
CMK|square centimetre|area|100|1|cm2,cm²
MTK|square metre|area|1000000|1|m2,m²,sqm,qm
FTK|square foot|area|9290304|100|ft2,ft²,sqft
MLT|millilitre|volume|1|1|ml,cm3,ccm
CLT|centilitre|volume|10|1|cl
LTR|litre|volume|1000|1|l,lt,ltr,litre,liter,litro
MTQ|cubic metre|volume|1000000|1|m3,m³,cbm
GLL|gallon (US)|volume|3785411784|1000000|gal,gallon,gallons
OZA|fluid ounce (US)|volume|3785411784|128000000|floz
QT|quart (US)|volume|3785411784|4000000|qt,quart
PT|pint (US)|volume|3785411784|8000000|pt,pint
SEC|second|time|1|1|s,sec
MIN|minute|time|60|1|min
HUR|hour|time|3600|1|h,hr,hour,hours,stunde,heure,hora
DAY|day|time|86400|1|d,day,days,tag,jour,día
PK|pack|count|0|1|xpk,pack,pkg,pck,package,packung,paket,paquet,paquete,ve,vpe
PA|packet|count|0|1|xpa,packet
BX|box|count|0|1|xbx,box,boxes,schachtel,boîte,boite,caja,bte
CS|case|count|0|1|xcs,case,cases,kiste,caisse
CT|carton|count|0|1|xct,carton,cartons,ctn,ktn,karton
PF|pallet|count|0|1|xpf,px,xpx,pallet,palette,palet,pal,plt
BG|bag|count|0|1|xbg,bag,bags,beutel,sac,sachet,bolsa
RO|roll|count|0|1|xro,roll,rolls,rolle,rouleau,rollo,rl.
RL|reel|count|0|1|xrl,reel,spule,bobine,bobina
DR|drum|count|0|1|xdr,drum,fass,fût,bidón
CA|can|count|0|1|xca,can,dose
BO|bottle|count|0|1|xbo,bottle,btl,flasche,bouteille,botella
TU|tube|count|0|1|xtu,tube
SET|set|count|1|1|set,sets,satz,jeu,juego
KT|kit|count|1|1|kit,kits
"""


def _load() -> tuple[dict[str, Unit], dict[str, str]]:
    units: dict[str, Unit] = {}
    names: dict[str, str] = {}
    rows = [line.split("|") for line in _TABLE.strip().splitlines()]
    for code, name, dimension, num, den, _ in rows:
        units[code] = Unit(code, name, dimension, int(num), int(den))
        names[code.lower()] = code
    for code, name, _, _, _, aliases in rows:
        for alias in (name, *aliases.split(",")):
            names.setdefault(alias.lower(), code)
    return units, names


UNITS, _NAMES = _load()


def unit(text: str) -> Unit:
    """Find a unit by its code or by a usual word in English, German, French or Spanish.

    Raises UnitError: unit.unknown.

    >>> unit("kgs").code, unit("Stück").code, unit(" EA ").code, unit("XBX").is_pack
    ('KGM', 'C62', 'EA', True)
    """
    key = text.strip().lower()
    code = _NAMES.get(key) or _NAMES.get(key.rstrip("."))
    if code is None:
        raise UnitError("unit.unknown", text[:40], "a UN/ECE unit code such as C62, BX, KGM or MTR", "map this word")
    return UNITS[code]


def ratio(code: str, packs: Mapping[str, int] | None = None) -> Fraction:
    """Return how many base units of its dimension one unit is.

    Args:
        packs: content of each pack of this item, code -> each, integer > 0.
    Raises UnitError, in order: unit.unknown, unit.pack_unknown.

    >>> ratio("DZN"), ratio("INH"), ratio("BX", {"BX": 50})
    (Fraction(12, 1), Fraction(127, 5), Fraction(50, 1))
    """
    found = unit(code)
    content = {unit(name).code: each for name, each in (packs or {}).items()}.get(found.code)
    if content is not None and content > 0:
        return Fraction(content)
    if found.is_pack:
        raise UnitError("unit.pack_unknown", found.code, "the number of each in one pack", "state it with the item")
    return Fraction(found.numerator, found.denominator)


def convert(quantity: int | Fraction, unit_from: str, unit_to: str, packs: Mapping[str, int] | None = None) -> int:
    """Convert a quantity exactly; the result is a whole number or a refusal, never a rounded one.

    Args:
        quantity: integer, or an exact fraction (a decimal text as `Fraction(text)`), of `unit_from`.
        packs: content of each pack of this item, code -> each, integer > 0.
    Raises UnitError, in order: unit.unknown, unit.pack_unknown, unit.other_dimension, unit.inexact.

    >>> convert(3, "BX", "C62", {"BX": 50}), convert(5, "DZN", "EA"), convert(Fraction("2.5"), "MTR", "MMT")
    (150, 60, 2500)
    >>> convert(7, "C62", "DZN")
    Traceback (most recent call last):
    ...
    hanse.standards.units.UnitError: unit.inexact: got '7 C62', expected a whole number of DZN; \
it would be 7/12; use a smaller unit or a full pack
    """
    per_from, per_to = ratio(unit_from, packs), ratio(unit_to, packs)
    source, target = unit(unit_from), unit(unit_to)
    if source.dimension != target.dimension:
        expected = f"a unit of {target.dimension} such as {target.code}"
        raise UnitError("unit.other_dimension", source.code, expected, "map the unit, or correct the item's unit")
    result = Fraction(quantity) * per_from / per_to
    if result.denominator != 1:
        step = f"it would be {result}; use a smaller unit or a full pack"
        raise UnitError("unit.inexact", f"{quantity} {source.code}", f"a whole number of {target.code}", step)
    return int(result)


def to_base(quantity: int | Fraction, code: str, packs: Mapping[str, int] | None = None) -> int:
    """Convert to the base of the unit's dimension (each, gram, millimetre, mm2, millilitre, second), exactly.

    Raises UnitError as `convert`.

    >>> to_base(2, "GRO"), to_base(Fraction("0.75"), "KGM")
    (288, 750)
    """
    return convert(quantity, code, BASES[unit(code).dimension], packs)
