from agents.knowledge.models.contents import Author, Content, Lexeme, Passage, Revision
from agents.knowledge.models.ledger import Account, LedgerEntry
from agents.knowledge.models.research import Attribution, Card, Pattern, ResearchSession
from agents.knowledge.models.sources import FetchedHost, Source

__all__ = [
    "Account",
    "Attribution",
    "Author",
    "Card",
    "Content",
    "FetchedHost",
    "LedgerEntry",
    "Lexeme",
    "Passage",
    "Pattern",
    "ResearchSession",
    "Revision",
    "Source",
]
