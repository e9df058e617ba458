from collections import Counter
from dataclasses import dataclass, field

# Enough to name each file of a small folder.
MAX_EXAMPLES = 10


@dataclass
class Finding:
    """How often something was met, and where first."""

    count: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, *places: str, count: int = 1) -> None:
        self.count += count
        self.places += places[: MAX_EXAMPLES - len(self.places)]


@dataclass
class Report:
    """What an import did: rows by kind and outcome, what it left out and why, what it changed on the way."""

    read: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    skipped: dict[tuple[str, str], Finding] = field(default_factory=dict)
    notes: dict[tuple[str, str], Finding] = field(default_factory=dict)

    def created(self, kind: str, count: int = 1) -> None:
        self.outcomes[kind, "created"] += count

    def unchanged(self, kind: str, count: int = 1) -> None:
        self.outcomes[kind, "unchanged"] += count

    def skip(self, kind: str, reason: str, place: str) -> None:
        """Count a row that was left out; the same `reason` in the same words is one line of the summary."""
        self.outcomes[kind, "skipped"] += 1
        self.skipped.setdefault((kind, reason), Finding()).add(place)

    def note(self, kind: str, remark: str, place: str) -> None:
        """Count a row that was stored, but not whole."""
        self.notes.setdefault((kind, remark), Finding()).add(place)

    def add(self, part: "Report") -> None:
        """Count what another report counted."""
        self.read += part.read
        self.outcomes.update(part.outcomes)
        for ours, theirs in ((self.skipped, part.skipped), (self.notes, part.notes)):
            for key, finding in theirs.items():
                ours.setdefault(key, Finding()).add(*finding.places, count=finding.count)

    @property
    def kinds(self) -> list[str]:
        return list(dict.fromkeys(kind for kind, _ in self.outcomes))
