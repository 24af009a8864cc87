"""What an import says when it cannot go on, and what is wrong with one row."""

from typing import NamedTuple


class ImportRefused(Exception):
    """A file or a mapping as a whole is refused: code, message, got, expected, next, retry."""

    def __init__(self, code: str, message: str, got: str = "", expected: str = "", next_step: str = "") -> None:
        super().__init__(f"{code}: {message}" + (f"; {next_step}" if next_step else ""))
        self.code, self.message, self.got, self.expected, self.next = code, message, got, expected, next_step
        self.retry = False

    def shape(self) -> dict[str, str | bool]:
        """The refusal as doors show it."""
        return {
            "code": self.code, "message": self.message, "got": self.got, "expected": self.expected,
            "next": self.next, "retry": self.retry,
        }  # fmt: skip


class Problem(NamedTuple):
    """Why one text is no value of its type."""

    code: str
    expected: str
    next: str


class Bad(NamedTuple):
    """One wrong cell of one row. `row` is the row of the source, as a spreadsheet counts them (the header is one)."""

    row: int
    column: str
    code: str
    got: str
    expected: str
    next: str

    def sentence(self) -> str:
        """The reason in words.

        >>> Bad(7, "Qty", "quantity.not_whole", "1.5", "a whole number", "give pieces").sentence()
        'Qty: got "1.5", expected a whole number; give pieces (quantity.not_whole)'
        """
        where = f"{self.column}: " if self.column else ""
        return f'{where}got "{self.got}", expected {self.expected}; {self.next} ({self.code})'
