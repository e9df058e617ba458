"""Registers how paths name profiles."""

from django.urls import register_converter


class HandleConverter:
    regex = "[A-Za-z0-9_-]{1,40}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(HandleConverter, "handle")
