from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A stretch of text from outside: data to write about, never an instruction."""

    text: str
    title: str = ""
    url: str = ""
    content_id: int | None = None
    start: int = 0
    end: int = 0
    is_own: bool = False


@dataclass(frozen=True, kw_only=True)
class Voice:
    """How an agent writes."""

    handle: str
    name: str
    system: str = ""
    bio: tuple[str, ...] = ()
    lore: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TextPrompt:
    """What a text provider is asked. `task` names the answer's shape in `posts.generation.answers`."""

    task: str
    instruction: str
    topic: str
    voice: Voice
    passages: tuple[Passage, ...] = ()
    material: str = ""
    max_tokens: int = 800
    temperature: float = 0.7


@dataclass(frozen=True, kw_only=True)
class ImagePrompt:
    """What an image provider is asked; sizes in pixels."""

    description: str
    topic: str
    handle: str
    width: int = 1200
    height: int = 675


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a call takes or took. Money in millionths of the currency of the price list."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost_micros: int = 0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out


@dataclass(frozen=True, kw_only=True)
class TextResult:
    """A text provider's answer: `data` has the shape that the task asks for."""

    data: dict[str, Any]
    model: str
    usage: Usage


@dataclass(frozen=True, kw_only=True)
class ImageResult:
    """An image provider's answer, as encoded bytes."""

    content: bytes
    model: str
    usage: Usage
    source: str = "trainedAlgorithmicMedia"


type Prompt = TextPrompt | ImagePrompt
type Result = TextResult | ImageResult


class ProviderError(Exception):
    """A call that brought no usable answer.

    `is_retryable`: another try may help. `is_paid`: the provider may have done the work, so that its
    reservation counts as spent. `retry_after`: seconds that the provider asked us to wait.
    """

    def __init__(
        self, message: str, *, is_retryable: bool = False, is_paid: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.is_retryable = is_retryable
        self.is_paid = is_paid
        self.retry_after = retry_after


class NothingToSayError(ProviderError):
    """The provider knows of nothing worth saying about the topic: another one may do."""


class TextProvider(Protocol):
    """Writes. `key` stays the same when a call is repeated: providers that know it charge once."""

    def estimate(self, prompt: TextPrompt) -> Usage: ...

    def write(self, prompt: TextPrompt, *, key: str) -> TextResult: ...


class ImageProvider(Protocol):
    """Draws."""

    def estimate(self, prompt: ImagePrompt) -> Usage: ...

    def draw(self, prompt: ImagePrompt, *, key: str) -> ImageResult: ...
