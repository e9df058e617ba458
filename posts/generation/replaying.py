"""Run a run again from its recorded answers, without a network, and compare."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import orjson
from django.core.files.storage import default_storage

from posts.generation.engine.flights import hash_of
from posts.generation.images import StoredImage
from posts.generation.models import Run, RunStep
from posts.generation.pipelines import PIPELINES, Kind, Step
from posts.generation.providers.base import TextResult, Usage


def replay(run: Run) -> Iterator[tuple[str, list[str]]]:
    """Yield each step's name and what came out differently this time; an empty list says: the same."""
    rows = {row.name: row for row in run.current_steps()}
    outputs: dict[str, dict[str, Any]] = {}
    for step in PIPELINES[run.pipeline].steps:
        row = rows[step.name]
        inputs = {name: outputs[name] for name in step.needs}
        # Each step gets what the replay itself made, so that one difference shows in all that depends on it.
        output, differences = _again(run, step, row, inputs)
        outputs[step.name] = output
        if bytes(row.input_hash or b"") != hash_of(inputs):
            differences.append("inputs")
        if output != row.output:
            differences.append("output")
        if step.kind is Kind.POST:
            differences += _against_post(run, output)
        if step.kind is Kind.MESSAGE and (run.reply is None or run.reply.body != output["body"]):
            differences.append("message")
        yield step.name, differences


def _again(run: Run, step: Step, row: RunStep, inputs: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    match step.kind:
        case Kind.READ | Kind.REVIEW:
            return row.output or {}, []
        case Kind.POST | Kind.MESSAGE:
            return step.function(run, **inputs), []
    generator = step.function(run, **inputs)
    prompt = next(generator)
    differences = [] if orjson.loads(orjson.dumps(asdict(prompt))) == row.prompt else ["prompt"]
    answer = row.answer or {}
    recorded: TextResult | StoredImage = (
        StoredImage(**answer) if step.kind is Kind.IMAGE else TextResult(data=answer, model=row.model, usage=Usage())
    )
    try:
        generator.send(recorded)
    except StopIteration as stop:
        return stop.value, differences
    raise TypeError(f"Step {step.name} yields more than one prompt.")


def _against_post(run: Run, fields: dict[str, Any]) -> Iterator[str]:
    """Yield the fields in which the post is not what the replay made, byte for byte."""
    post = run.post
    if post is None:
        yield "no post"
        return
    for name in ("kind", "title", "body", "image_alt"):
        if getattr(post, name).encode() != fields[name].encode():
            yield f"post.{name}"
    if post.image.name != fields["image"]:
        yield "post.image"
    elif _sha256_of(fields["image"]) not in fields["image"]:
        yield "image bytes"


def _sha256_of(path: str) -> str:
    if not default_storage.exists(path):
        return "missing"
    with default_storage.open(path) as file:
        return hashlib.sha256(file.read()).hexdigest()
