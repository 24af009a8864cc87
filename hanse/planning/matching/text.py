"""Texts of item masters, brought to forms that can be compared: brand, part number, words, technical values."""

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from hanse.planning.matching.words import BRAND_ALIASES, LEGAL_FORMS, PACK_WORDS, SYNONYMS

_LOST = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ł": "l", "Ł": "L", "×": "x", "µ": "u", "μ": "u"}
)
_ACRONYM = re.compile(r"\b(?:[a-z0-9]\.){2,}[a-z0-9]?\b\.?")
_WORD = re.compile(r"[a-z0-9]+(?:[./][0-9]+)*")
_NOT_ALNUM = re.compile(r"[^a-z0-9]+")
_PUNCTUATION = re.compile(
    r"((?<![0-9])[0-9]{1,3}[.,][0-9]+|(?<![0-9])[0-9]{1,2}/(?:2|4|8|16|32|64)(?![0-9]))|[^a-z0-9]+"
)
_PACK = "|".join(sorted(PACK_WORDS, key=len, reverse=True))
_PACK_SUFFIX = re.compile(
    rf"[\s\-_/,;(]+(?:(?:pack|pk|box|bx|case|carton)\s+of\s+[0-9]{{1,5}}|[0-9]{{0,5}}\s*/?\s*(?:{_PACK})|"
    rf"(?:{_PACK})\s*[0-9]{{1,5}})\)?$"
)


@lru_cache(maxsize=65_536)
def plain(text: str) -> str:
    """Lower case without accents; compatibility forms (full width, superscripts, ligatures) resolved.

    >>> plain("Dichtung Ø 25×40 ﬁx, GRÖSSE")
    'dichtung o 25x40 fix, grosse'
    """
    if text.isascii():
        return text.lower()
    split = unicodedata.normalize("NFKD", text.translate(_LOST))
    return "".join(ch for ch in split if not unicodedata.combining(ch)).lower()


@lru_cache(maxsize=65_536)
def _brand_base(text: str) -> str:
    low = _ACRONYM.sub(lambda m: m.group().replace(".", ""), plain(text).replace("&", " and "))
    words = [w for w in _NOT_ALNUM.split(low) if w]
    kept = [w for w in words if w not in LEGAL_FORMS]
    return "".join(kept or words)


def brand_key(text: str, aliases: Mapping[str, str] | None = None) -> str:
    """Return the form of a brand in which spellings, legal forms and known aliases fall together; "" for none.

    Args:
        aliases: further spellings -> brand, as people write them; they come before the built-in table.

    >>> brand_key("SKF AB"), brand_key("S.K.F."), brand_key("Parker-Hannifin Corp."), brand_key("MANN+HUMMEL GmbH")
    ('skf', 'skf', 'parker', 'mann')
    >>> brand_key("Kugel Meier", {"Kugel Meier": "SKF"})
    'skf'
    """
    key = _brand_base(text)
    if aliases:
        for spelling, brand in aliases.items():
            if _brand_base(spelling) == key:
                key = _brand_base(brand)
                break
    return BRAND_ALIASES.get(key, key)


@lru_cache(maxsize=1 << 17)
def part_key(text: str, brand: str = "") -> str:
    """Return the form of a maker's part number in which punctuation, leading zeros and packing noise fall together.

    Kept, because they tell items apart: a decimal point after one to three digits, a fraction (1/2), every suffix that
    is not a packing word. "" when fewer than three letters and digits remain.

    Args:
        brand: as the maker is written; a number that repeats it in front loses it.

    >>> part_key("6204-2RSH/C3"), part_key("SKF 6204 2RSH C3", "SKF"), part_key("00-6204.2RSH-C3 (pack of 10)")
    ('62042rshc3', '62042rshc3', '62042rshc3')
    >>> part_key("M8X1.25"), part_key("M8x12.5"), part_key("1/2-13"), part_key("12-13")
    ('m8x1.25', 'm8x12.5', '1/213', '1213')
    """
    low = plain(text).strip()
    noise = _PACK_SUFFIX.search(low)
    if noise and low[: noise.start()].strip():
        low = low[: noise.start()]
    name = brand_key(brand)
    if name:
        first, _, rest = low.replace("-", " ", 1).partition(" ")
        if rest and brand_key(first) == name:
            low = rest
    key = _PUNCTUATION.sub(lambda m: (m.group(1) or "").replace(",", "."), low).lstrip("0")
    return key if sum(ch.isalnum() for ch in key) >= 3 else ""


_SYNONYMS = {plain(word): meaning for word, meaning in SYNONYMS.items()}

# number and unit as written -> (kind, factor to the kind's unit)
_UNIT_WORDS: dict[str, tuple[str, Fraction]] = {
    "v": ("volt", Fraction(1)), "vac": ("volt", Fraction(1)), "vdc": ("volt", Fraction(1)),
    "volt": ("volt", Fraction(1)), "volts": ("volt", Fraction(1)), "kv": ("volt", Fraction(1000)),
    "w": ("watt", Fraction(1)), "kw": ("watt", Fraction(1000)), "hp": ("watt", Fraction(7457, 10)),
    "ps": ("watt", Fraction(7355, 10)), "a": ("ampere", Fraction(1)), "amp": ("ampere", Fraction(1)),
    "amps": ("ampere", Fraction(1)), "ma": ("ampere", Fraction(1, 1000)),
    "mm": ("mm", Fraction(1)), "cm": ("mm", Fraction(10)), "in": ("mm", Fraction(254, 10)),
    "inch": ("mm", Fraction(254, 10)), '"': ("mm", Fraction(254, 10)), "zoll": ("mm", Fraction(254, 10)),
    "m": ("mm", Fraction(1000)), "mtr": ("mm", Fraction(1000)), "ft": ("mm", Fraction(3048, 10)),
    "bar": ("bar", Fraction(1)), "psi": ("bar", Fraction(689476, 10_000_000)), "mpa": ("bar", Fraction(10)),
    "rpm": ("rpm", Fraction(1)), "upm": ("rpm", Fraction(1)), "tpm": ("rpm", Fraction(1)),
    "hz": ("hertz", Fraction(1)), "um": ("micron", Fraction(1)), "micron": ("micron", Fraction(1)),
    "kg": ("kg", Fraction(1)), "g": ("kg", Fraction(1, 1000)), "lb": ("kg", Fraction(45359237, 100_000_000)),
    "l": ("litre", Fraction(1)), "ml": ("litre", Fraction(1, 1000)), "gal": ("litre", Fraction(3785411784, 10**9)),
    "pol": ("pole", Fraction(1)), "pole": ("pole", Fraction(1)), "p": ("pole", Fraction(1)),
    "polig": ("pole", Fraction(1)),
}  # fmt: skip
_NUMBER = r"(?:[0-9]+[ -][0-9]+/[0-9]+|[0-9]+/[0-9]+|[0-9]+(?:[.,][0-9]+)?)"
_WITH_UNIT = re.compile(
    rf"(?<![a-z0-9.,/])({_NUMBER})\s?-?("
    + "|".join(sorted(map(re.escape, _UNIT_WORDS), key=len, reverse=True))
    + r")(?![a-z0-9])"
)
_TIMES = re.compile(rf"(?<![a-z0-9.,/])({_NUMBER}(?:\s?[x*]\s?{_NUMBER}){{1,3}})(?:\s?(mm|cm|in|inch|\"))?(?![0-9])")
_THREAD = re.compile(
    r"(?<![a-z0-9])(m[0-9]{1,2}(?:[.,]5)?|g\s?[0-9]/[0-9]|g1|npt\s?[0-9]/[0-9]|[0-9]/[0-9]\s?-?(?:npt|bsp|unc|unf))(?![0-9a-wyz])"
)
_BARE = re.compile(rf"(?<![a-z0-9.,/])({_NUMBER})(?![a-z0-9/])")
_IP = re.compile(r"(?<![a-z0-9])ip\s?([0-9]{2})(?![0-9])")


@lru_cache(maxsize=65_536)
def _value(number: str, factor: Fraction = Fraction(1)) -> str:
    whole = Fraction(0)
    for part in re.split(r"[ -]", number):
        if "/" in part:
            over, under = part.split("/")
            if int(under) == 0:
                return number
            whole += Fraction(int(over), int(under))
        else:
            whole += Fraction(part.replace(",", "."))
    return f"{float(whole * factor):.3g}"


def attributes(text: str) -> list[tuple[str, str]]:
    """Return the technical values of a description as (kind, value), sorted, each once.

    Kinds: thread, volt, watt, ampere, mm, bar, rpm, hertz, micron, kg, litre, pole, ip, and "n" for a number whose unit
    is not said. Values have three significant digits, so that 1/2" and 12.7 mm agree.

    >>> attributes('Ball bearing 25x52x15 mm')
    [('mm', '15'), ('mm', '25'), ('mm', '52'), ('n', '15'), ('n', '25'), ('n', '52')]
    >>> attributes('Motor 0,55kW 400V IP55 1/2"')
    [('ip', '55'), ('mm', '12.7'), ('n', '12.7'), ('volt', '400'), ('watt', '550')]
    >>> attributes('Hex bolt M8 x 40')
    [('n', '40'), ('thread', 'm8')]
    """
    return list(_attributes(text.strip()))


@lru_cache(maxsize=1 << 17)
def _attributes(text: str) -> tuple[tuple[str, str], ...]:
    low = plain(text)
    found: set[tuple[str, str]] = set()

    def dimensions(match: re.Match[str]) -> str:
        factor = _UNIT_WORDS[match.group(2) or "mm"][1]
        for number in re.split(r"\s?[x*]\s?", match.group(1)):
            value = _value(number, factor)
            found.add(("n", value))
            found.add(("mm", value))
        return " ; "

    def measured(match: re.Match[str]) -> str:
        kind, factor = _UNIT_WORDS[match.group(2)]
        value = _value(match.group(1), factor)
        found.add((kind, value))
        if kind == "mm":
            found.add(("n", value))
        return " ; "

    def threaded(match: re.Match[str]) -> str:
        found.add(("thread", re.sub(r"[\s-]", "", match.group(1))))
        return " ; "

    low = _IP.sub(lambda m: found.add(("ip", m.group(1))) or " ; ", low)  # type: ignore[func-returns-value]
    low = _THREAD.sub(threaded, low)
    low = _TIMES.sub(dimensions, re.sub(r";\s*x\s*", "; ", low))
    low = _WITH_UNIT.sub(measured, low)
    found.update(("n", _value(m.group(1))) for m in _BARE.finditer(low))
    return tuple(sorted(found))


def words(text: str) -> list[str]:
    """Return the words of a description, synonyms read as one, in the order written.

    >>> words("Rillenkugellager, abgedichtet 6204-2RSH")
    ['bearing', 'sealed', '6204', '2rsh']
    """
    return [_SYNONYMS.get(word, word) for word in _WORD.findall(plain(text))]


@lru_cache(maxsize=65_536)
def _code(chunk: str) -> str:
    bare = _NOT_ALNUM.sub("", chunk).lstrip("0")
    return bare if len(bare) >= 4 and any(ch.isdigit() for ch in bare) else ""


def codes(text: str) -> list[str]:
    """Return what may be a part number inside a description: chunks with a digit, four signs or more, bare.

    >>> codes("SKF bearing 6204-2RSH/C3 25x52")
    ['62042rshc3', '25x52']
    """
    return [code for chunk in plain(text).split() if (code := _code(chunk))]
