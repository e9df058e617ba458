import xml.etree.ElementTree as ET

import pytest

from feed.pages.charts import Point, bars, columns, heat, nice_top

HOSTILE = '<b onclick="alert(1)">'
DRAWINGS = [
    columns(HOSTILE, [Point(HOSTILE, 3, HOSTILE), Point("b", 0)]),
    columns("None", []),
    bars(HOSTILE, [Point(HOSTILE, 0.00001), Point("b", 10.0**12)]),
    heat("Hours", HOSTILE, [("Mon", [None, Point(HOSTILE, 2, HOSTILE)])]),
]


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_a_chart_is_well_formed_says_what_it_shows_and_has_no_style_of_its_own(drawing: str) -> None:
    root = ET.fromstring(drawing)
    assert root.attrib["role"] == "img"
    ids = {node.attrib["id"] for node in root if "id" in node.attrib}
    assert set(root.attrib["aria-labelledby"].split()) == ids
    assert not [node for node in root.iter() if "style" in node.attrib or node.tag == "b"]


@pytest.mark.parametrize(("highest", "top"), [(0, 1), (0.4, 1), (1, 1), (3, 5), (7, 10), (11, 20), (501, 1000)])
def test_an_axis_ends_at_a_round_number(highest: float, top: float) -> None:
    assert nice_top(highest) == top
