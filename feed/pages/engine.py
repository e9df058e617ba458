"""Jinja2 where it is slow for a page of posts: 600 values are looked up in JSON, and 500 are escaped and joined.

Each part overrides what Jinja2 documents for that purpose. What is escaped, and what is not, stays the same.
"""

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any

import markupsafe
from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context, Macro

# What `markupsafe.escape` calls; MarkupSafe is pinned. The standard library's takes five times as long.
escape: Callable[[str], str] = markupsafe._escape_inner  # type: ignore[attr-defined]


def escaped(value: Any) -> str:
    """Return what a template shows of a value, as `markupsafe.escape` does, but as a plain string.

    It is joined at once, so that nobody asks whether it is safe; saying so costs eight times what escaping does.
    """
    if type(value) is str:
        return escape(value)
    if hasattr(value, "__html__"):
        html: str = value.__html__()
        return html
    return str(value) if type(value) is int else escape(str(value))


class PageCode(CodeGenerator):
    """Compiles templates to code that escapes what it shows by `escaped`."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.escaped(")


class PageContext(Context):
    """Calls macros, and functions that ask for nothing of Jinja2's, without looking for what else a callable may be."""

    def call(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        kind = type(function)
        if kind is Macro or kind is partial or (kind is FunctionType and not hasattr(function, "jinja_pass_arg")):
            kwargs.pop("_loop_vars", None)
            kwargs.pop("_block_vars", None)
            return function(self.eval_ctx, *args, **kwargs) if kind is Macro else function(*args, **kwargs)
        return super().call(function, *args, **kwargs)


class PageEngine(Environment):
    """Jinja2's environment, for templates over dictionaries from JSON."""

    code_generator_class = PageCode
    context_class = PageContext
    escaped = staticmethod(escaped)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look an attribute up; in a dictionary, first as a key: the exception for each would cost most."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)
