"""Turn what a model wrote into the answer that was asked for: repaired where that is safe, else refused."""

import re
from typing import Any

import orjson
from pydantic import ValidationError

from posts.generation.answers import ANSWERS
from posts.generation.providers.base import ProviderError

_FENCE = re.compile(r"\A\s*```(?:json)?\s*([\s\S]*?)\s*```\s*\Z")

# No text of the database can hold it.
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def parse(task: str, text: str) -> dict[str, Any]:
    """Return the answer of a task in its shape.

    Repaired: a code fence, prose around the object, unknown fields, plain text where one text was asked for.
    Refused with `ProviderError`, worth another try: everything else, such as an object that was cut off.
    """
    shape = ANSWERS[task]
    text = text.strip().lstrip("\ufeff")
    if not text:
        raise _refusal("The answer is empty.")
    found = _object_in(text)
    if found is None:
        fields = list(shape.model_fields)
        if "{" in text or len(fields) != 1:
            raise _refusal("The answer is not the JSON object that was asked for.")
        found = {fields[0]: text}
    known = {name: value for name, value in found.items() if name in shape.model_fields}
    try:
        return shape.model_validate(known).model_dump()
    except ValidationError as error:
        wrong = ", ".join(str(problem["loc"][0]) for problem in error.errors() if problem["loc"])
        raise _refusal(f"The answer does not have the shape that was asked for: {wrong}.") from None


def _object_in(text: str) -> dict[str, Any] | None:
    fenced = _FENCE.match(text)
    candidates = [fenced.group(1) if fenced else text]
    start, end = text.find("{"), text.rfind("}")
    if 0 <= start < end:
        candidates.append(text[start : end + 1])
    for candidate in candidates:
        try:
            found = orjson.loads(_NUL.sub(r"\1 ", candidate))
        except orjson.JSONDecodeError:
            continue
        if isinstance(found, dict):
            return found
    return None


def _refusal(message: str) -> ProviderError:
    return ProviderError(message, is_retryable=True, is_paid=True)
