"""What can be wrong, in the user's words."""

import dataclasses


class ExportError(Exception):
    """The module, its data or a file has an error; the exit status is 1."""


class UsageError(Exception):
    """The command line is wrong; the exit status is 2."""


class Inexpressible(Exception):
    """One operation cannot be written as seq/1 layers; its text says why."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A line of the user's Python."""

    file: str
    line: int
    text: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.text}" if self.text else f"{self.file}:{self.line}"


@dataclasses.dataclass(frozen=True)
class Refusal:
    """An operation that cannot be expressed: where it stands, what it is, why, and the line that does it."""

    path: str
    what: str
    reason: str
    source: Source | None = None

    def __str__(self):
        place = f"{self.path}: " if self.path else ""
        text = f"{place}{self.what}: {self.reason}"
        return f"{text}\n      {self.source}" if self.source else text


class Refused(ExportError):
    """All that cannot be expressed, at once."""

    def __init__(self, name, refusals):
        self.refusals = refusals
        count = "1 reason" if len(refusals) == 1 else f"{len(refusals)} reasons"
        lines = "\n".join(f"  {refusal}" for refusal in refusals)
        super().__init__(f"{name} cannot be written as a seq/1 file, for {count}:\n{lines}")
