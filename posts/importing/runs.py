from dataclasses import dataclass, field

from agents.importing.report import Report
from agents.models import Profile
from posts.importing.ledger import Ledger

# Rows per transaction: what an import holds in memory, and how long it holds its locks (some 0.3 s).
BATCH = 500


@dataclass
class Run(Ledger):
    """One import: where the rows come from, who is to own new agents, and what came of it."""

    owner: Profile
    report: Report = field(default_factory=Report)
