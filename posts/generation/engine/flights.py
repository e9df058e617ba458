import hashlib
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from posts.generation.engine.ledger import Outcome
from posts.generation.images import StoredImage
from posts.generation.models import Run, RunStep
from posts.generation.pipelines import PIPELINES, Pipeline, Step
from posts.generation.providers.base import Prompt, ProviderError, TextResult, Usage

# More than all retries of all steps together: a run that kills its workers is not taken up for ever.
MOST_CLAIMS = 50


@dataclass
class Call:
    """One step that waits for its provider."""

    step: Step
    row: RunStep
    prompt: Prompt
    generator: Generator[Any, Any, dict[str, Any]]
    input_hash: bytes
    own_ms: float


@dataclass
class Answer:
    """What came back from a call: a result or an error, after `provider_ms`."""

    flight: "Flight"
    call: Call
    result: TextResult | StoredImage | None
    error: ProviderError | None
    model: str
    usage: Usage
    provider_ms: float


@dataclass
class Flight:
    """A run in the hands of this worker."""

    run: Run
    pipeline: Pipeline
    rows: dict[str, RunStep]
    outputs: dict[str, dict[str, Any]]
    calls: dict[str, Call] = field(default_factory=dict)
    # Results that came back and are not committed yet: a database restart in between loses none of them.
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    not_before: float = 0.0
    is_over: bool = False

    @classmethod
    def of(cls, run: Run) -> "Flight":
        rows = {row.name: row for row in run.current_steps()}
        outputs = {name: row.output or {} for name, row in rows.items() if row.state == RunStep.State.DONE}
        flight = cls(run, PIPELINES[run.pipeline], rows, outputs)
        if run.attempt > MOST_CLAIMS:
            step = next(step.name for step in flight.pipeline.steps if step.name not in outputs)
            flight.errors[step] = RuntimeError(f"Taken up {MOST_CLAIMS} times without coming to an end.")
        return flight

    def ready(self) -> list[Step]:
        """Return the steps that can start once what came back is committed."""
        if self.errors:
            return []
        done = self.outputs.keys() | self.outcomes.keys()
        busy = done | self.calls.keys()
        return [step for step in self.pipeline.steps if step.name not in busy and done >= {*step.needs}]

    def last_step(self) -> Step | None:
        """Return the step that creates the post when all other steps have their result, committed or not."""
        last = self.pipeline.steps[-1]
        missing = {step.name for step in self.pipeline.steps} - self.outputs.keys() - self.outcomes.keys()
        return last if missing == {last.name} and self.outcomes and not self.errors else None

    def inputs_of(self, step: Step) -> dict[str, dict[str, Any]]:
        return {
            name: self.outcomes[name].output if name in self.outcomes else self.outputs[name] for name in step.needs
        }

    def record(self, name: str, outcome: Outcome) -> None:
        """Remember a result that is committed."""
        self.outputs[name] = outcome.output
        row = self.rows[name]
        row.state, row.model = RunStep.State.DONE, outcome.model
        row.own_ms, row.provider_ms = outcome.own_ms, outcome.provider_ms
        row.tokens_in, row.tokens_out = outcome.usage.tokens_in, outcome.usage.tokens_out
        row.cost_micros = outcome.usage.cost_micros

    @property
    def percentage(self) -> int:
        return self.pipeline.percentage(set(self.outputs))


def hash_of(inputs: dict[str, Any]) -> bytes:
    """Return the SHA-256 of a step's inputs."""
    return hashlib.sha256(orjson.dumps(inputs, option=orjson.OPT_SORT_KEYS)).digest()


def recorded(result: TextResult | StoredImage) -> dict[str, Any]:
    """Return what must be kept of an answer to replay its step."""
    return result.data if isinstance(result, TextResult) else asdict(result)
