"""Takes every value out of SQL, so that what is logged or shown holds names and shapes only."""

import re
from functools import lru_cache

MAX_LABEL_LENGTH = 160

# In the order in which they must be recognised: a quote inside a comment opens nothing, and a statement
# that the server cut off may end inside a literal.
TOKENS = re.compile(
    r"""
    (?P<identifier>"(?:[^"]|"")*(?:"|\Z))
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<literal>
        \bE'(?:[^'\\]|''|\\.)*(?:'|\Z)
        | (?:\b[BXNU]&?)?'(?:[^']|'')*(?:'|\Z)
        | \$(?P<tag>[A-Za-z_]\w*|)\$.*?(?:\$(?P=tag)\$|\Z)
        | (?<![\w.$])\d+(?:\.\d+)?(?:e[+-]?\d+)?\b
      )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
# A list of any length is one shape.
LISTS = re.compile(r"\(\s*(?:%s|\?|\$\d+)(?:\s*,\s*(?:%s|\?|\$\d+))+\s*\)")


def without_values(sql: str) -> str:
    """Return a statement with "?" for each literal, without comments, on one line."""
    sql = TOKENS.sub(_masked, sql)
    return " ".join(LISTS.sub("(…)", sql).split())


def _masked(match: re.Match[str]) -> str:
    if match["identifier"] is not None:
        return match["identifier"]
    return "?" if match["literal"] is not None else " "


@lru_cache(maxsize=1024)
def label_of(sql: str) -> str:
    """Return a short name for a statement: what metrics count it under."""
    shape = without_values(sql).replace('"', "")
    if len(shape) <= MAX_LABEL_LENGTH:
        return shape
    # The columns of a long SELECT say less than what follows them.
    start = re.sub(r"\ASELECT .*? FROM ", "SELECT … FROM ", shape)
    return start if len(start) <= MAX_LABEL_LENGTH else start[: MAX_LABEL_LENGTH - 1] + "…"
