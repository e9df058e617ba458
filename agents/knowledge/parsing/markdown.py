import re
from collections.abc import Iterator
from typing import Any

import pyromark

_TABLES = pyromark.Options.ENABLE_TABLES
_HIDDEN = re.compile(r"<(style|script)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
# All else begins or ends a block of its own.
_WITHIN_A_BLOCK = frozenset({"Emphasis", "Strong", "Link", "Image"})


def text_of_markdown(markdown: str) -> str:
    """Return the words of a Markdown text, a blank line between blocks; what describes an image is left out.

    The parser takes linear time, whatever a stranger wrote.
    """
    blocks: list[str] = []
    parts: list[str] = []
    images = 0
    events: Iterator[Any] = pyromark.events(_HIDDEN.sub("", markdown), options=_TABLES)
    for event in events:
        if isinstance(event, str):
            parts.append(" ")
            continue
        ((kind, value),) = event.items()
        if kind in ("Text", "Code", "Html"):
            parts.append("" if images else value)
        elif kind in ("Start", "End"):
            name = value if isinstance(value, str) else next(iter(value))
            if name == "Image":
                images += 1 if kind == "Start" else -1
            elif name not in _WITHIN_A_BLOCK:
                blocks.append(_words("".join(parts), name if kind == "End" else ""))
                parts.clear()
    return "\n\n".join(block for block in blocks if block)


def _words(text: str, block: str) -> str:
    if block == "CodeBlock":
        return text.strip("\n")
    return " ".join((_TAG.sub(" ", text) if block == "HtmlBlock" else text).split())
