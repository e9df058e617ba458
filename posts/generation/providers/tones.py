"""How a persona sounds: openings, closings and titles by tone, chosen by the persona's own adjectives."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from posts.generation.extracts import plain, terms
from posts.generation.providers.base import TextPrompt
from posts.generation.quoting import is_presentable, reads_well, stands_alone


@dataclass(frozen=True)
class Tone:
    """Phrases of one manner of speaking, true of whatever is quoted. `{topic}` and `{source}` are filled in."""

    words: frozenset[str]
    openings: tuple[str, ...]
    reading: tuple[str, ...]
    closings: tuple[str, ...]
    titles: tuple[str, ...]
    headlines: tuple[str, ...]


def _words(text: str) -> frozenset[str]:
    return frozenset(terms(text))


TONES = (
    Tone(
        _words("curious inquisitive exploratory playful imaginative open creative wondering adventurous"),
        (
            "I keep returning to one subject: {topic}.",
            "A question that will not leave me alone: {topic}.",
            "Today I went looking for what I really know about {topic}.",
        ),
        (
            "I spent a while with “{source}”, and this is the part that stayed with me.",
            "“{source}” answered one question for me and opened two more.",
            "I opened “{source}” for one detail and stayed for this.",
        ),
        (
            "What would you look at next?",
            "I would like to hear from someone who has seen this go the other way.",
            "There is more under this stone; I will keep turning it.",
        ),
        ("A closer look at {topic}", "Wondering about {topic}", "{topic}: what I found"),
        ("What stayed with me from “{topic}”", "A question after “{topic}”", "Reading “{topic}” twice"),
    ),
    Tone(
        _words(
            "analytical precise technical systematic rigorous logical methodical data-driven scientific factual"
            " knowledgeable informed intelligent expert careful meticulous thorough"
        ),
        (
            "Some notes on {topic}, kept to what can be checked.",
            "What is actually known about {topic}? Less than is claimed, more than is used.",
            "{topic}: the short version, with nothing rounded up.",
        ),
        (
            "The passage of “{source}” that matters most, in its own words:",
            "“{source}” is worth reading for one argument above all:",
            "From “{source}”, quoted rather than paraphrased, since the wording matters:",
        ),
        (
            "Corrections are welcome; I would rather be right than first.",
            "The claim is narrow, and that is why I trust it.",
            "I will update this note when the evidence changes.",
        ),
        ("Notes on {topic}", "{topic}: what holds up", "{topic}, examined"),
        ("Reading notes: {topic}", "One claim from “{topic}”", "Quoted exactly: {topic}"),
    ),
    Tone(
        _words(
            "warm kind friendly supportive empathetic encouraging caring gentle helpful patient compassionate"
            " optimistic accessible hopeful nurturing welcoming enthusiastic passionate"
        ),
        (
            "Here is something I have been meaning to share about {topic}.",
            "A small thing about {topic} that may make somebody’s week easier.",
            "If {topic} is new to you, this is a good place to begin.",
        ),
        (
            "I read “{source}” and thought of several of you.",
            "If you have five minutes, give them to “{source}”. This is why:",
            "“{source}” puts into words something many of us have felt.",
        ),
        (
            "If this helps even one of you, it was worth writing down.",
            "Tell me how it goes for you; I read every reply.",
            "Take your time with it; I did.",
        ),
        ("Something worth sharing on {topic}", "{topic}, gently explained", "A good word about {topic}"),
        ("Worth five minutes: {topic}", "For you to read: {topic}", "A good word for “{topic}”"),
    ),
    Tone(
        _words(
            "practical pragmatic direct concise efficient focused decisive resourceful ambitious driven professional"
            " strategic organized disciplined"
        ),
        (
            "{topic}, for people who have to make it work by Monday.",
            "What I know about {topic}, and no more:",
            "Three minutes on {topic}, then back to work.",
        ),
        (
            "I read “{source}” so that you can decide whether to. The useful part:",
            "One thing to take from “{source}”:",
            "If you read one part of “{source}”, read this:",
        ),
        (
            "That is the part I would keep.",
            "Start there; the rest can wait.",
            "That much is worth knowing.",
        ),
        ("{topic}, in practice", "{topic}, in short", "{topic}: the useful part"),
        ("The useful part of “{topic}”", "Worth keeping: {topic}", "{topic}: what to take from it"),
    ),
    Tone(
        _words(
            "poetic mystical philosophical reflective contemplative wise reverent flowing fluid dreamy spiritual"
            " thoughtful introspective enigmatic deep profound serene calm"
        ),
        (
            "Some subjects are rivers: you step in and they have moved. {topic} is one of them.",
            "I have been turning {topic} over like a stone in the hand.",
            "Sit for a moment with {topic}.",
        ),
        (
            "“{source}” has been turning over in my mind like a stone in a stream.",
            "There is a quiet passage in “{source}” that I have read more than once.",
            "Some texts ask to be read slowly. “{source}” is one:",
        ),
        (
            "I will leave it there, and let the silence do its part.",
            "Read it again tomorrow; it will have changed, or you will have.",
            "What is small in this is what lasts.",
        ),
        ("On {topic}", "Thinking slowly about {topic}", "{topic}, held up to the light"),
        ("Read slowly: {topic}", "A quiet passage in “{topic}”", "Sitting with “{topic}”"),
    ),
    Tone(
        _words(
            "witty funny sarcastic humorous irreverent edgy cheeky sassy bold provocative unhinged chaotic sharp snarky"
            " cynical confident charismatic rebellious"
        ),
        (
            "Nobody asked me about {topic}. Here we are anyway.",
            "Unpopular hobby: knowing things about {topic}.",
            "{topic}: an opinion, with evidence, which I hear is unusual.",
        ),
        (
            "I read “{source}” all the way to the end, so at least one of us has.",
            "Everyone will quote “{source}” by Friday. Be early:",
            "Somewhere in “{source}” there is a sentence that earns its keep. Found it:",
        ),
        (
            "You may now return to arguing about something else.",
            "I will be insufferable about this at dinner.",
            "Disagree with me, but bring receipts.",
        ),
        ("{topic}, without the hype", "Let us talk about {topic}", "{topic}: somebody had to say it"),
        ("I read “{topic}” so you need not", "About “{topic}”, with receipts", "Found in “{topic}”"),
    ),
)


def _is_maxim(text: str) -> bool:
    """Whether a sentence is short and holds at any time: no news, nothing that answers somebody."""
    is_whole = len(text) <= 120 and reads_well(text, is_own=False) and stands_alone(text)
    return is_whole and not re.match(r"(Just|New|Today)\b", text)


class Speaker:
    """Chooses phrases for one prompt; the same prompt always chooses the same."""

    def __init__(self, prompt: TextPrompt) -> None:
        self._prompt = prompt
        topic = plain(prompt.topic).rstrip(".!? ")
        self._topic = topic if topic and is_presentable(topic) else "a text I was sent"
        # A note of its own has a title already, which needs neither wrapping nor announcing.
        self._is_own_note = any(p.is_own and plain(p.title).rstrip(".!? ") == self._topic for p in prompt.passages)
        self._tone = self._choose_tone()

    def opening(self, *, source: str) -> str:
        """Return the first sentence: about the source when there is one, else about the topic, or nothing."""
        source = plain(source).rstrip(".")
        if self._is_own_note and not source:
            return ""
        phrases = self._tone.reading if source and is_presentable(source) else self._tone.openings
        text = self._pick("opening", phrases).format(topic=self._as_subject(), source=source)
        return text[0].upper() + text[1:]

    def closing(self) -> str:
        return self._pick("closing", (*self._tone.closings, *self._maxims()))

    def title(self) -> str:
        """Return a title made of the topic, be that a phrase or the headline of a text."""
        if self._is_own_note:
            return self._topic
        is_headline = len(self._topic.split()) >= 4 or len(self._topic) > 40
        phrases = self._tone.headlines if is_headline else self._tone.titles
        if ":" in self._topic:
            # A second colon would hide where the text's own title ends.
            phrases = tuple(phrase for phrase in self._tone.headlines if "“{topic}”" in phrase)
        text = self._pick("title", phrases).format(topic=self._topic)
        return text[0].upper() + text[1:]

    def _maxims(self) -> list[str]:
        """Return short sentences that the persona is known for."""
        examples = [plain(example) for example in self._prompt.voice.examples]
        return [text for text in examples if _is_maxim(text)][:5]

    def _as_subject(self) -> str:
        """Return the topic as it can stand inside a sentence: a phrase bare, a headline in quotes."""
        is_headline = len(self._topic.split()) > 5 or any(char in self._topic for char in ":?!")
        return f"“{self._topic}”" if is_headline else self._topic

    def _choose_tone(self) -> Tone:
        words = set(terms(" ".join((*self._prompt.voice.adjectives, *self._prompt.voice.style))))
        return max(TONES, key=lambda tone: (len(tone.words & words), self._number(tone.titles[0])))

    def _pick(self, part: str, phrases: Sequence[str]) -> str:
        return phrases[self._number(part) % len(phrases)]

    def _number(self, part: str) -> int:
        seed = f"{self._prompt.voice.handle}|{self._prompt.topic}|{part}"
        return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8])
