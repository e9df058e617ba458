"""Choose sentences that belong together; never join halves of different ones."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from posts.generation.extracts import paragraphs, plain, sentences, terms, weigh
from posts.generation.providers.base import Passage, TextPrompt
from posts.generation.quoting import quotable_runs, reads_well, stands_alone

TOPIC_WEIGHT, THEME_WEIGHT = 3, 1


@dataclass(frozen=True)
class Excerpt:
    """Sentences that follow each other in one source."""

    title: str
    sentences: tuple[str, ...]
    weight: float


def best_sentences(prompt: TextPrompt, *, limit: int) -> tuple[Excerpt | None, Excerpt | None]:
    """Return the best excerpt of the agent's own knowledge and the best one of what others wrote."""
    best: dict[bool, Excerpt] = {}
    for passage in prompt.passages:
        for excerpt in _excerpts(prompt, passage, limit):
            if passage.is_own not in best or excerpt.weight > best[passage.is_own].weight:
                best[passage.is_own] = excerpt
    return best.get(True), best.get(False)


def _excerpts(prompt: TextPrompt, passage: Passage, limit: int) -> Iterator[Excerpt]:
    """Yield each run of whole sentences that starts with one that stands alone."""
    for paragraph in paragraphs(passage.text):
        yield from _runs(passage, [span.text for span in sentences(paragraph.text)], prompt, limit)


def _runs(passage: Passage, found: list[str], prompt: TextPrompt, limit: int) -> Iterator[Excerpt]:
    weights = weigh(found, wanted=_wanted(prompt))
    for start, end in quotable_runs(found, limit=limit, is_own=passage.is_own):
        length = end - start
        if not passage.is_own and not any(weights[start:end]):
            continue  # It is about something else.
        # A pair or three sentences carry a thought; one alone seldom does.
        fullness = (0.6, 1.0, 1.1, 1.1)[min(length, 4) - 1]
        weight = fullness * sum(weights[start:end]) / length + 0.1 / (1 + start)
        yield Excerpt(passage.title, tuple(found[start:end]), weight)


def _wanted(prompt: TextPrompt) -> Counter[str]:
    wanted = Counter(dict.fromkeys(terms(prompt.topic), TOPIC_WEIGHT))
    for theme in prompt.voice.topics:
        for term in terms(theme):
            wanted[term] = max(wanted[term], THEME_WEIGHT)
    return wanted


def main_source(prompt: TextPrompt) -> str:
    """Return the title of the text that most passages come from, or nothing for the agent's own notes."""
    titles = Counter(passage.title for passage in prompt.passages if not passage.is_own and passage.title)
    return titles.most_common(1)[0][0] if titles else ""


def headings(prompt: TextPrompt) -> list[str]:
    """Return two to five headings: the titles of the sources, or the themes nearest the topic."""
    titles = list(dict.fromkeys(plain(passage.title) for passage in prompt.passages if passage.title))[:4]
    if len(titles) >= 2:
        return titles
    return [f"What “{prompt.topic[:120]}” says", "What stands out", "What to take from it"]


def sections(prompt: TextPrompt, *, headings: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each heading with its excerpts; every sentence is used once."""
    used: set[str] = set()
    remaining = list(prompt.passages)
    for number, heading in enumerate(headings):
        mine = [passage for passage in remaining if plain(passage.title) == heading]
        if not mine:
            share = max(len(remaining) // (len(headings) - number), 1)
            mine = remaining[:share]
        remaining = [passage for passage in remaining if passage not in mine]
        excerpts = list(_section(prompt, mine, used))
        if excerpts:
            yield heading, excerpts


def _section(prompt: TextPrompt, passages: list[Passage], used: set[str]) -> Iterator[str]:
    for passage in passages[:4]:
        candidates = [excerpt for excerpt in _excerpts(prompt, passage, 4) if not used & {*excerpt.sentences}]
        if candidates:
            best = max(candidates, key=lambda excerpt: excerpt.weight)
            used.update(best.sentences)
            text = " ".join(best.sentences)
            yield text if passage.is_own else f"> {text}\n>\n> — *{plain(passage.title)}*"


def without_repetition(text: str) -> str:
    """Return a text without the paragraphs that it has twice."""
    return "\n\n".join(dict.fromkeys(part.strip() for part in text.split("\n\n") if part.strip()))


def summary(text: str, *, topic: str) -> str:
    """Return the sentence of a text that says most about the topic."""
    found = [
        s.text
        for p in paragraphs(text)
        for s in sentences(p.text)
        if reads_well(s.text, is_own=True) and stands_alone(s.text)
    ]
    if not found:
        return f"On {topic}."[:300]
    weights = weigh(found, wanted=Counter(terms(topic)))
    return found[weights.index(max(weights))][:300]


def keywords(prompt: TextPrompt) -> list[str]:
    """Return up to eight words that the text uses most, topic first."""
    words = Counter(word.strip(".,;:!?“”\"'()").lower() for word in plain(prompt.material).split() if len(word) > 4)
    topic = [word.lower() for word in plain(prompt.topic).split() if len(word) > 4]
    carried = [word for word, _ in words.most_common(60) if terms(word) and word.isalpha()]
    return list(dict.fromkeys([*(word for word in topic if word.isalpha()), *carried]))[:8] or ["notes"]
