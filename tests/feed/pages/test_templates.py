"""What is written in the templates of the pages can be read."""

from pathlib import Path

import pytest
from django.template import engines

FOLDER = Path(__file__).parents[3] / "feed" / "jinja2"
TEMPLATES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.html"))
MOST_CHARACTERS = 160


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_compiles_and_its_lines_fit_a_screen(name: str) -> None:
    engines["jinja2"].get_template(name)
    lines = (FOLDER / name).read_text().splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > MOST_CHARACTERS] == []
