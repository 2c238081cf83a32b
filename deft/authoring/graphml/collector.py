"""The findings of one reading: faults up to a number, and coercions counted once a kind."""

from __future__ import annotations

from dataclasses import replace

from deft.authoring.graphml import codes
from deft.authoring.graphml.limits import refusal
from deft.base.errors import BadInput, Finding

MOST = 100  # faults that are listed; the rest is counted
UNLISTED = 10_000  # faults that are counted; then it is not read any further


class Collector:
    """Gathers findings; with `strict` every warning is a fault."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self._errors: list[Finding] = []
        self._unlisted = 0
        self._warnings: dict[tuple[str, str], tuple[Finding, int]] = {}

    def error(
        self, code: str, message: str, line: int | None = None, *, subject: str | None = None,
        hint: str | None = None,
    ) -> None:  # fmt: skip
        """Note a fault."""
        assert code not in codes.CODES or codes.CODES[code].effect == "refused"
        if len(self._errors) < MOST:
            self._errors.append(Finding(code, message, line, subject, hint or codes.hint(code)))
        else:
            self.more(1)

    def warning(
        self, code: str, message: str, line: int | None = None, *, subject: str, hint: str | None = None
    ) -> None:
        """Note what was dropped or coerced; the first of each code and subject stands for all of them."""
        # Importers of other formats have codes of their own; what they warn of was taken as something near.
        effect = codes.CODES[code].effect if code in codes.CODES else "coerced"
        assert effect != "refused"
        first, count = self._warnings.get((code, subject), (None, 0))
        if first is None:
            first = Finding(code, message, line, subject, hint or codes.hint(code), "warning", effect)
        self._warnings[code, subject] = (first, count + 1)

    def again(self, code: str, subject: str, times: int) -> None:
        """A warning that is known came so often more."""
        first, count = self._warnings[code, subject]
        self._warnings[code, subject] = (first, count + times)

    def more(self, count: int) -> None:
        """Note faults that are only counted. Raises BadInput where there are too many to go on."""
        self._unlisted += count
        if self._unlisted > UNLISTED:
            raise refusal("too-many-faults", f"it has more than {UNLISTED:,} faults")

    @property
    def is_full(self) -> bool:
        """True where further faults are only counted."""
        return len(self._errors) >= MOST

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The faults, by line."""
        found = self._errors + ([_as_error(w) for w in self.warnings] if self.strict else [])
        found.sort(key=lambda f: f.line or 0)
        if 0 < self._unlisted <= UNLISTED:
            more = f"and {self._unlisted} more"
            found.append(Finding("too-many-faults", more, hint=codes.hint("too-many-faults")))
        return tuple(found)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The warnings, by line, each with how often it came."""
        found = [_counted(first, count) for first, count in self._warnings.values()]
        return tuple(sorted(found, key=lambda f: f.line or 0))

    def close(self, what: str) -> None:
        """Raise BadInput with every fault, where there is one."""
        if errors := self.errors:
            count = "one fault" if len(errors) == 1 else f"{len(errors)} faults"
            raise BadInput(f"{what} is refused: {count}", errors)


def _counted(first: Finding, count: int) -> Finding:
    return first if count == 1 else replace(first, message=f"{first.message}; {count} times in all")


def _as_error(warning: Finding) -> Finding:
    return replace(warning, severity="error")
