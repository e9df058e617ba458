"""Hot reads: written once with the ORM, compiled once per process, run as server-side prepared statements."""

from performance.prepared.compiler import ShapeError
from performance.prepared.parameters import Size
from performance.prepared.read import PreparedRead, Row, Rows
from performance.prepared.shape import UnexpressibleFieldError, json_of

__all__ = ["PreparedRead", "Row", "Rows", "ShapeError", "Size", "UnexpressibleFieldError", "json_of"]
