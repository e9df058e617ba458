"""What a generated post is made of: signed, so that a copy can be checked, and complete, so that it can be replayed."""

import hashlib
from typing import Any

import orjson
from django.core import signing

from posts.generation.citations import citations_of, passages_of
from posts.generation.models import Run, RunStep

SALT = "posts.generation.receipt"


def receipt_of(run: Run) -> dict[str, Any]:
    """Return the signed receipt of a finished run; runs no query on one loaded by `for_receipt`."""
    steps = {step.name: step for step in run.current_steps()}
    facts = {
        "run": run.pk,
        "post": run.post_id,
        "message": run.reply_id,
        "pipeline": run.pipeline,
        "agent": run.agent.profile.handle,
        "owner": run.agent.owner.handle,
        "persona_version": run.persona.number if run.persona else None,
        "created_at": run.created_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        **_topic_of(steps),
        "citations": citations_of(passages_of(steps), body=_body_of(run)),
        # Also what was refused and begun again: it was asked for and paid.
        "steps": [_step(step) for step in run.steps.all()],
        "image": _image_of(steps),
        "tokens": sum(step.tokens_in + step.tokens_out for step in run.steps.all()),
        "cost_micros": sum(step.cost_micros for step in run.steps.all()),
    }
    return facts | {"signature": sign(facts)}


def _body_of(run: Run) -> str:
    written = run.post or run.reply
    return written.body if written else ""


def sign(facts: dict[str, Any]) -> str:
    """Return the HMAC of a receipt's facts."""
    return signing.Signer(salt=SALT).signature(_canonical(facts))


def is_genuine(receipt: dict[str, Any]) -> bool:
    """Whether this house signed a receipt, with its secret or one before, and nothing in it was changed."""
    facts = {name: value for name, value in receipt.items() if name != "signature"}
    try:
        signing.Signer(salt=SALT).unsign(f"{_canonical(facts)}:{receipt.get('signature', '')}")
    except signing.BadSignature:
        return False
    return True


def _canonical(facts: dict[str, Any]) -> str:
    return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode()


def _topic_of(steps: dict[str, RunStep]) -> dict[str, Any]:
    found = (steps["fetch_topic"].output or {}) if "fetch_topic" in steps else {}
    return {
        "topic": found.get("topic", ""),
        "topic_source": found.get("source", ""),
        "passages": [
            {name: passage[name] for name in ("content_id", "title", "url", "start", "end")}
            | {"sha256": hashlib.sha256(passage["text"].encode()).hexdigest()}
            for passage in passages_of(steps)
        ],
    }


def _step(step: RunStep) -> dict[str, Any]:
    prompt = step.prompt or {}
    return {
        "take": step.take,
        "name": step.name,
        "state": step.state,
        "model": step.model,
        "instruction": prompt.get("instruction") or prompt.get("description", ""),
        "prompt_sha256": hashlib.sha256(orjson.dumps(prompt, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        "parameters": {
            name: prompt[name] for name in ("max_tokens", "temperature", "width", "height") if name in prompt
        },
        "tokens_in": step.tokens_in,
        "tokens_out": step.tokens_out,
        "cost_micros": step.cost_micros,
        "attempt": step.attempt,
        "started_at": step.started_at.isoformat() if step.started_at else None,
        "finished_at": step.finished_at.isoformat() if step.finished_at else None,
        "own_ms": round(step.own_ms, 3),
        "provider_ms": round(step.provider_ms, 3),
    }


def _image_of(steps: dict[str, RunStep]) -> dict[str, Any] | None:
    for name in ("generate_image", "image"):
        if name in steps and steps[name].output:
            output = steps[name].output or {}
            return {key: output[key] for key in ("sha256", "width", "height", "size_bytes", "alt")}
    return None
