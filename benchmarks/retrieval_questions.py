"""Questions with known answers, made of real articles by rule.

A question is an article's title and excerpt in other words. Both are taken out of what is indexed, so that no
question can be answered by finding itself.
"""

import hashlib
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

QUESTIONS = 500

# Words of the same meaning: what is on the left is asked for by what is on the right.
_OTHER_WORDS = {
    "announce": "publish news of", "announcing": "publishing news of", "announcement": "news", "app": "application",
    "begin": "start", "big": "large", "bug": "defect", "build": "make", "building": "making", "change": "alter",
    "changes": "alterations", "choose": "select", "code": "source", "create": "make", "creating": "making",
    "data": "information", "delete": "remove", "deploy": "roll out", "developer": "programmer",
    "developers": "programmers", "develop": "make", "error": "failure", "errors": "failures", "fast": "quick",
    "faster": "quicker", "feature": "capability", "features": "capabilities", "find": "locate", "fix": "repair",
    "government": "state", "guide": "instructions", "help": "assist", "helping": "assisting", "how": "in what way",
    "improve": "better", "improving": "bettering", "install": "set up", "introducing": "presenting",
    "introduction": "first steps", "issue": "problem", "issues": "problems", "learn": "find out", "list": "enumerate",
    "make": "produce", "new": "recent", "people": "persons", "project": "undertaking", "quick": "fast",
    "release": "version", "released": "brought out", "run": "execute", "running": "executing", "show": "display",
    "software": "programs", "start": "begin", "team": "group", "teams": "groups", "test": "try out",
    "testing": "trying out", "tool": "instrument", "tools": "instruments", "update": "news", "updates": "news",
    "use": "employ", "user": "person using it", "users": "those who use it", "using": "with", "website": "site",
    "work": "labour", "workshop": "course", "workshops": "courses", "write": "author", "writing": "authoring",
}  # fmt: skip
# fmt: off
_DROPPED = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "for", "from", "has", "have", "how", "i",
    "in", "into", "is", "it", "its", "my", "of", "on", "or", "our", "that", "the", "their", "them", "there", "these",
    "they", "this", "those", "to", "us", "was", "we", "were", "will", "with", "you", "your",
})
# fmt: on
_TEMPLATES = ("what is said about {}?", "where can I read of {}?", "tell me about {}", "{}: what do we know?")


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    url: str
    # Made of an article that was never looked at while the search was tuned.
    is_held_out: bool


def reworded(text: str, chance: random.Random) -> str:
    """Drop small words, replace those that have another, and turn the order of the clauses round."""
    clauses = [clause for clause in re.split(r"[.,;:!?()\n]+|\s[-–—]\s", text.lower()) if clause.strip()]
    chance.shuffle(clauses)
    words = (word for clause in clauses for word in re.findall(r"[\w'’+#-]+", clause))
    kept = [_OTHER_WORDS.get(word, word) for word in words if word not in _DROPPED]
    return " ".join(word for word in kept if chance.random() < 0.85)[:400]


def questions_and_articles(rows: Iterable[dict[str, Any]]) -> tuple[list[Question], list[dict[str, Any]]]:
    """Return the questions and all articles, those that are asked for without title and excerpt."""
    articles = list(rows)
    asked = sorted((row for row in articles if len(row["excerpt"]) >= 40), key=lambda row: _order(row["url"]))
    asked = asked[:QUESTIONS]
    questions = []
    for number, row in enumerate(asked):
        chance = random.Random(row["url"])
        said = reworded(f"{row['title']}. {row['excerpt'][:300]}", chance)
        questions.append(Question(chance.choice(_TEMPLATES).format(said), row["url"], is_held_out=number % 2 == 1))
    urls = {question.url for question in questions}
    return questions, [_without_answer(row) if row["url"] in urls else row for row in articles]


def _order(url: str) -> bytes:
    return hashlib.sha256(url.encode()).digest()


def _without_answer(row: dict[str, Any]) -> dict[str, Any]:
    """Take the title and every sentence of the excerpt out of an article."""
    body = row["body_markdown"]
    for sentence in (row["title"], *re.split(r"(?<=[.!?])\s+|\n+", row["excerpt"])):
        words = re.findall(r"\w+", sentence)
        if len(words) >= 3:
            body = re.sub(r"\W+".join(map(re.escape, words)), " ", body, flags=re.IGNORECASE)
    return row | {"title": "", "excerpt": "", "body_markdown": body}
