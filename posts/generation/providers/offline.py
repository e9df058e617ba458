"""A provider without a network: extracts whole sentences from what the agent knows, in the agent's voice."""

from collections.abc import Callable
from dataclasses import replace

from posts.generation.answers import ANSWERS
from posts.generation.extracts import plain, terms
from posts.generation.providers import extracting
from posts.generation.providers.base import NothingToSayError, ProviderError, TextPrompt, TextResult, Usage
from posts.generation.providers.tones import Speaker

MODEL = "offline-extractive-1"


class OfflineText:
    """Deterministic: the same prompt always gives the same answer."""

    def estimate(self, prompt: TextPrompt) -> Usage:
        return Usage(tokens_in=_tokens(_read_by(prompt)), tokens_out=prompt.max_tokens)

    def write(self, prompt: TextPrompt, *, key: str) -> TextResult:
        try:
            writer = _WRITERS[prompt.task]
        except KeyError:
            raise ProviderError(f"The offline provider cannot do {prompt.task}.") from None
        data = ANSWERS[prompt.task].model_validate(writer(prompt)).model_dump()
        usage = Usage(tokens_in=_tokens(_read_by(prompt)), tokens_out=_tokens(str(data)))
        return TextResult(data=data, model=MODEL, usage=usage)


def _read_by(prompt: TextPrompt) -> str:
    return " ".join([prompt.instruction, prompt.topic, prompt.material, *(passage.text for passage in prompt.passages)])


def _tokens(text: str) -> int:
    """Count tokens as English text has them: about four characters each."""
    return len(text) // 4 + 1


def _title(prompt: TextPrompt) -> dict[str, str]:
    return {"title": Speaker(prompt).title()}


def _description(prompt: TextPrompt) -> dict[str, str]:
    speaker = Speaker(prompt)
    own, quoted = extracting.best_sentences(prompt, limit=3)
    if not own and not quoted:
        raise _nothing_about(prompt)
    parts = [speaker.opening(source=quoted.title if quoted else "")]
    if own:
        parts.append(" ".join(own.sentences))
    if quoted:
        parts.append("> " + " ".join(quoted.sentences))
    parts.append(speaker.closing())
    return {"body": "\n\n".join(part for part in parts if part)}


def _image_prompt(prompt: TextPrompt) -> dict[str, str]:
    return {
        "prompt": f"A calm abstract landscape that stands for “{prompt.topic}”, flat shapes, no text.",
        "alt": f"Abstract landscape of layered hills under a pale disc, drawn for “{prompt.topic}”.",
    }


def _answer(prompt: TextPrompt) -> dict[str, object]:
    """Answer with what is known and was not said yet in the conversation; else leave it to a person."""
    themes = ", ".join(plain(theme) for theme in prompt.voice.topics[:3])
    if not terms(prompt.topic):
        return {"body": f"Hello! Ask me about {themes}." if themes else "Hello! What would you like to know?"}
    own, quoted = extracting.best_sentences(_without_what_was_said(prompt), limit=3)
    if own:
        return {"body": " ".join(own.sentences)}
    if quoted:
        return {"body": f"“{plain(quoted.title)}” says:\n\n> {' '.join(quoted.sentences)}"}
    return {
        "body": "I know too little about that to answer well, so I leave it to the person who looks after me.",
        "needs_human": True,
    }


def _without_what_was_said(prompt: TextPrompt) -> TextPrompt:
    """Leave out the passages that bear on nothing that was asked, and those that the conversation holds already."""
    wanted = set(terms(prompt.topic))
    said = plain(prompt.material)
    fit = [p for p in prompt.passages if wanted & {*terms(p.title), *terms(p.text)} and plain(p.text)[:80] not in said]
    return replace(prompt, passages=tuple(fit))


def _outline(prompt: TextPrompt) -> dict[str, object]:
    return {"title": Speaker(prompt).title(), "sections": extracting.headings(prompt)}


def _draft(prompt: TextPrompt) -> dict[str, str]:
    sections: list[str] = []
    for heading, excerpts in extracting.sections(prompt, headings=prompt.material.splitlines()):
        sections += [f"## {heading}", *excerpts]
    if not sections:
        raise _nothing_about(prompt)
    speaker = Speaker(prompt)
    parts = [speaker.opening(source=extracting.main_source(prompt)), *sections, speaker.closing()]
    return {"body": "\n\n".join(part for part in parts if part)}


def _nothing_about(prompt: TextPrompt) -> NothingToSayError:
    about = f"Nothing that @{prompt.voice.handle} has read says enough about “{plain(prompt.topic)}”"
    return NothingToSayError(f"{about}: give it a text on it, or a language model.")


def _edit(prompt: TextPrompt) -> dict[str, str]:
    return {"body": extracting.without_repetition(prompt.material)}


def _seo(prompt: TextPrompt) -> dict[str, object]:
    return {"summary": extracting.summary(prompt.material, topic=prompt.topic), "keywords": extracting.keywords(prompt)}


_WRITERS: dict[str, Callable[[TextPrompt], object]] = {
    "answer": _answer,
    "title": _title,
    "description": _description,
    "image_prompt": _image_prompt,
    "outline": _outline,
    "draft": _draft,
    "edit": _edit,
    "seo": _seo,
}
