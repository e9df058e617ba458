"""Hot reads, written once with the ORM and compiled once per process, and hot writes: server-side prepared."""

from performance.prepared.compiler import ShapeError
from performance.prepared.parameters import Size
from performance.prepared.read import PreparedRead, Row, Rows
from performance.prepared.shape import UnexpressibleFieldError, json_of
from performance.prepared.write import PreparedWrite

__all__ = ["PreparedRead", "PreparedWrite", "Row", "Rows", "ShapeError", "Size", "UnexpressibleFieldError", "json_of"]
