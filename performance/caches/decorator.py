import functools
import hashlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import orjson

from performance.caches.named import caches, check_lifetime

P = ParamSpec("P")
R = TypeVar("R")


class CachedFunction[**P, R]:
    """A function whose answers are kept in a named cache. `compute` is the function itself."""

    def __init__(self, cache: str, compute: Callable[P, R], ttl: int | None, tags: Callable[P, Sequence[str]]) -> None:
        self.cache = caches[cache]
        self.compute = compute
        self.ttl = ttl if ttl is None else check_lifetime(ttl)
        self.tags = tags
        self._signature = inspect.signature(compute)
        functools.update_wrapper(self, compute)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        value: R = self.cache.get_or_compute(
            self.name_for(*args, **kwargs),
            lambda: self.compute(*args, **kwargs),
            ttl=self.ttl,
            tags=self.tags(*args, **kwargs),
        )
        return value

    def name_for(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Return the name of the entry for these arguments, which must be JSON."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        arguments = orjson.dumps(bound.arguments, option=orjson.OPT_SORT_KEYS)
        return f"{self.compute.__module__}.{self.compute.__qualname__}:{hashlib.sha256(arguments).hexdigest()}"

    def forget(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Delete the answer for these arguments; return whether there was one."""
        return self.cache.delete(self.name_for(*args, **kwargs))


def _no_tags(*_args: Any, **_kwargs: Any) -> Sequence[str]:
    return ()


def cached[**P](
    cache: str, *, ttl: int | None = None, tags: Callable[P, Sequence[str]] = _no_tags, shared: bool = False
) -> Callable[[Callable[P, R]], CachedFunction[P, R]]:
    """Keep a function's answers in a named cache, by its arguments.

    The function takes a `viewer` (a profile's id or None) unless it is declared `shared`: what one reader may
    see can then not reach another. `tags` maps the arguments to the tags that make the answer worthless.
    Raises `UnknownCacheError`, `ValueError` for a lifetime under a second and `TypeError` without a viewer,
    all at import. Arguments and answers are JSON; others raise `TypeError`.
    """

    def decorate(compute: Callable[P, R]) -> CachedFunction[P, R]:
        if not shared and "viewer" not in inspect.signature(compute).parameters:
            raise TypeError(f"{compute.__qualname__} takes no `viewer`; declare it shared=True if all may see it.")
        return CachedFunction(cache, compute, ttl, tags)

    return decorate
