"""GTIN: the global number of a trade item, in its four lengths, brought to fourteen digits.

Source: GS1 General Specifications, section 2.1 (trade item identification), 7.9.1 (check digit calculation) and
3.3.2 (a GTIN in AI (01) is always fourteen digits, filled with zeros on the left).
"""

LENGTHS = (8, 12, 13, 14)
_SEPARATORS = str.maketrans("", "", " -\u00a0\u202f\t")


class GtinError(ValueError):
    """A text is no GTIN; `code` is the contract, the sentence may improve.

    Codes: gtin.not_digits, gtin.length, gtin.zero, gtin.check_digit.
    """

    def __init__(self, code: str, got: str, expected: str, next_step: str) -> None:
        super().__init__(f"{code}: got {got!r}, expected {expected}; {next_step}")
        self.code, self.got, self.expected, self.next = code, got, expected, next_step


def check_digit(body: str) -> int:
    """Return the check digit (0..9) of a number without its last digit: weights 3, 1, 3, ... from the right.

    Args:
        body: ASCII digits, any length >= 1.
    Raises: ValueError when `body` holds anything but ASCII digits.
    Source: GS1 General Specifications 7.9.1.

    >>> check_digit("629104150021")
    3
    >>> check_digit("9638507")
    4
    """
    if not (body.isascii() and body.isdigit()):
        raise ValueError(f"a check digit needs ASCII digits, got {body!r}")
    total = sum((3 if i % 2 == 0 else 1) * int(ch) for i, ch in enumerate(reversed(body)))
    return -total % 10


def normalise(text: str) -> str:
    """Return the fourteen digits of a GTIN-8, -12, -13 or -14; spaces and hyphens are ignored.

    Raises GtinError, in order: gtin.not_digits, gtin.length, gtin.zero, gtin.check_digit.

    >>> normalise("6 291041 500213")
    '06291041500213'
    >>> normalise("96385074")
    '00000096385074'
    >>> normalise("6291041500214")
    Traceback (most recent call last):
    ...
    hanse.standards.gtin.GtinError: gtin.check_digit: got '6291041500214', expected a last digit of 3; \
check the number on the label
    """
    digits = text.translate(_SEPARATORS)
    if not (digits.isascii() and digits.isdigit()):
        spreadsheet = digits[:1].isdigit() and "e+" in digits.lower()
        step = "format the column as text and export again" if spreadsheet else "give the number alone"
        raise GtinError("gtin.not_digits", text[:40], "8, 12, 13 or 14 digits", step)
    if len(digits) not in LENGTHS:
        step = "add the leading zeros that a spreadsheet dropped, or correct the number"
        raise GtinError("gtin.length", text[:40], "8, 12, 13 or 14 digits", step)
    if not digits.strip("0"):
        raise GtinError("gtin.zero", text[:40], "a number other than zero", "leave the field empty")
    right = check_digit(digits[:-1])
    if int(digits[-1]) != right:
        raise GtinError("gtin.check_digit", text[:40], f"a last digit of {right}", "check the number on the label")
    return digits.zfill(14)


def is_gtin(text: str) -> bool:
    """Tell whether `normalise` accepts the text.

    >>> is_gtin("036000291452"), is_gtin("036000291453")
    (True, False)
    """
    try:
        normalise(text)
    except GtinError:
        return False
    return True


def is_restricted(gtin14: str) -> bool:
    """Tell whether a normalised GTIN lies in a range for use inside one firm, which does not name an item elsewhere.

    GTIN-13 prefixes 02 and 20-29 (and so GTIN-12 prefixes 2 and, for local use, 4), and GTIN-8 prefixes 0 and 2.
    Source: GS1 General Specifications 1.4 (GS1 Prefixes; restricted circulation numbers).

    >>> is_restricted(normalise("2012345678903")), is_restricted(normalise("4006381333931"))
    (True, False)
    """
    if gtin14.startswith("000000"):
        return gtin14[6] in "02"
    return gtin14[1:3] in {"02", "04"} or gtin14[1] == "2"


def short(gtin14: str) -> str:
    """Return the shortest form of a normalised GTIN as printed under a bar code.

    >>> short("06291041500213"), short("00000096385074"), short("00036000291452")
    ('6291041500213', '96385074', '036000291452')
    """
    if gtin14.startswith("000000"):
        return gtin14[6:]
    if gtin14.startswith("00"):
        return gtin14[2:]
    return gtin14[1:] if gtin14.startswith("0") else gtin14
