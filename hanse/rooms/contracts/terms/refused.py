"""The one way in which this package says no."""


class TermsRefused(Exception):
    """A template, a parameter or a fact is not acceptable; whoever wrote it can mend it.

    Args:
        code: stable name, `terms.<what>`; the contract with callers.
        message: one sentence; may improve between releases.
        got, expected, next: what stood there, what may stand there, what to do.
    """

    def __init__(self, code: str, message: str, got: str = "", expected: str = "", next: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.got = got[:200]
        self.expected = expected
        self.next = next

    def at(self, where: str) -> "TermsRefused":
        """The same refusal, with the place in the template put before its sentence."""
        return TermsRefused(self.code, f"{where}: {self.message}", self.got, self.expected, self.next)
