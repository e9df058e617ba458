import re
from pathlib import Path

from django.contrib.staticfiles import finders


def palettes(name: str) -> list[dict[str, str]]:
    """Return the colours and fonts of a style sheet, those for light rooms and those for dark ones."""
    path = finders.find(name)
    assert path
    blocks = re.findall(r":root \{(.*?)\}", Path(path).read_text(), re.DOTALL)
    return [dict(re.findall(r"(--[\w-]+): ([^;]+);", block)) for block in blocks[:2]]


def test_the_dashboard_wears_the_colours_and_fonts_of_the_reader() -> None:
    """It has a copy, because it must not need the reader."""
    for reader, dashboard in zip(palettes("feed/reader.css"), palettes("performance/dashboard.css"), strict=True):
        assert reader
        assert reader.items() <= dashboard.items()
