import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

_parser = MarkdownIt("commonmark").enable("table")
_HIDDEN = re.compile(r"<(style|script)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")


def text_of_markdown(markdown: str) -> str:
    """Return the words of a Markdown text, a blank line between blocks."""
    blocks = (_words(token) for token in _parser.parse(_HIDDEN.sub("", markdown)))
    return "\n\n".join(block for block in blocks if block)


def _words(token: Token) -> str:
    if token.type in ("fence", "code_block"):
        return token.content.strip("\n")
    if token.type == "html_block":
        return " ".join(_TAG.sub(" ", token.content).split())
    if token.type != "inline":
        return ""
    return " ".join("".join(_inline(child) for child in token.children or ()).split())


def _inline(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return " "
    return token.content if token.type in ("text", "code_inline", "text_special") else ""
