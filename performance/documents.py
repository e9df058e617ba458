"""Sections of Markdown files that commands write between two marker comments."""

import re
from pathlib import Path

from django.conf import settings

PERFORMANCE = Path(settings.BASE_DIR) / "docs" / "performance.md"


def section_of(path: Path, name: str) -> str | None:
    """Return what stands between the markers of a section, None where there are none."""
    match = _between(name).search(path.read_text()) if path.exists() else None
    return match["text"] if match else None


def write_section(path: Path, name: str, text: str) -> bool:
    """Put a text between the markers, which are added at the end where they are missing; return if it changed."""
    before = path.read_text() if path.exists() else "# Performance\n"
    section = f"<!-- begin: {name} -->\n{text}<!-- end: {name} -->"
    if _between(name).search(before):
        after = _between(name).sub(lambda _: section, before)
    else:
        after = f"{before.rstrip()}\n\n{section}\n"
    if after != before:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(after)
    return after != before


def table(header: list[str], rows: list[list[str]]) -> str:
    """Render a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _between(name: str) -> re.Pattern[str]:
    name = re.escape(name)
    return re.compile(rf"<!-- begin: {name} -->\n(?P<text>.*?)<!-- end(?:: {name})? -->", re.DOTALL)
