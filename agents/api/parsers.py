import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import BaseParser


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes."
    default_code = "too_large"


# What a problem document tells at most.
MAX_ERRORS = 100
MAX_PATH_LENGTH = 200

# Only an escape can bring NUL or half a surrogate pair into valid UTF-8.
SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
UNPRINTABLE = re.compile("[\x00\ud800-\udfff]")


def printable(name: object) -> str:
    """Return a name from outside so that it can be shown: bounded, and valid UTF-8."""
    return str(name)[:100].encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def unprintable(data: Any) -> Iterator[str]:
    """Yield the path of every text below `data` that PostgreSQL cannot hold."""
    waiting = [("", data)]
    while waiting:
        path, value = waiting.pop()
        # A long path before many items would be copied for each of them.
        path = path[:MAX_PATH_LENGTH]
        if isinstance(value, str) and UNPRINTABLE.search(value):
            yield path or "body"
        elif isinstance(value, list):
            waiting += ((f"{path}[{index}]", below) for index, below in enumerate(value))
        elif isinstance(value, dict):
            for name, below in value.items():
                where = f"{path}.{printable(name)}" if path else printable(name)
                waiting += [(where, name), (where, below)]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number.")


class StrictJSONParser(BaseParser):
    """Parse RFC 8259 JSON of bounded size and depth; what Python's parser tolerates beyond it is refused."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(raw) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise BodyTooLarge
        try:
            data = json.loads(raw.decode(), parse_constant=_refuse_constant)
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from None
        if SUSPECT.search(raw) and (paths := list(islice(unprintable(data), MAX_ERRORS))):
            raise ValidationError({path: ["Text holds no NUL and no half of a surrogate pair."] for path in paths})
        return data
