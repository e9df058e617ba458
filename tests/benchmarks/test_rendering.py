"""Results as tables and charts, and the documentation that shows them."""

from xml.etree import ElementTree

import pytest

from benchmarks import charts, rendering, results
from benchmarks.results import Results, Row, packed
from performance.documents import PERFORMANCE, section_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def found() -> Results:
    rows = [
        Row("aviary vs bare", 0.71, ">=", 0.7, "x", 0.6, 0.8),
        Row("aviary vs slow", 3.2, ">=", 4, "x"),
        Row("aviary: requests per second", 1234.5, "", None, "requests/s", 1200, 1300),
        Row("aviary: CPU", 0.5, "", None, "ms"),
        Row("aviary: RSS", 160, "<=", 150, "MB"),
        Row("bare & fast: requests per second", 2000, "", None, "requests/s", 1900, 2100),
        Row("bare & fast: CPU", 0.2, "", None, "ms"),
        Row("bare & fast: RSS", 50, "", None, "MB"),
    ]
    run: results.Run = {
        "measured_at": "2026-01-02T03:04:05+00:00", "seconds": 61.2, "load": 0.25, "posts": 1_000_000,
        "rows": [packed(row) for row in rows],
    }  # fmt: skip
    return {"machine": "2 cores", "parts": {"reading": run}}


def test_a_row_shows_target_figure_rounds_and_verdict(found: Results) -> None:
    text = rendering.markdown(found)
    assert "| aviary vs bare | >= 0.7 | 0.71 x | 0.6 to 0.8 | reached |" in text
    assert "| aviary vs slow | >= 4 | 3.2 x |  | MISSED |" in text


def test_the_run_says_when_and_under_which_load(found: Results) -> None:
    assert "2026-01-02, 1,000,000 posts, 61 s, load average before it 0.2." in rendering.markdown(found)


def test_peers_have_a_line_each(found: Results) -> None:
    text = rendering.markdown(found)
    assert "| peer | requests per second | CPU, ms | RSS, MB | rounds |" in text
    assert "| bare & fast | 2,000 | 0.2 | 50 | 1,900 to 2,100 |" in text


def test_a_goal_of_a_peer_is_in_the_table_of_goals_too(found: Results) -> None:
    assert "| aviary: RSS | <= 150 | 160 MB |  | MISSED |" in rendering.markdown(found)


def test_the_terminal_aligns_its_columns(found: Results) -> None:
    head, first, *_ = rendering.terminal(results.rows_of(found["parts"]["reading"])).splitlines()
    assert head.index("target") == first.index(">= 0.7")


def test_the_terminal_shows_goals_without_the_rest_of_their_peer(found: Results) -> None:
    goals = [row for row in results.rows_of(found["parts"]["reading"]) if row.goal is not None]
    assert "aviary: RSS" in rendering.terminal(goals)


def test_a_figure_that_only_some_peers_have_leaves_a_gap(found: Results) -> None:
    rows = [row for row in results.rows_of(found["parts"]["reading"]) if row.name != "bare & fast: CPU"]
    assert "| bare & fast | 2,000 |  | 50 |" in rendering.markdown(
        {**found, "parts": {"reading": {**found["parts"]["reading"], "rows": [packed(row) for row in rows]}}}
    )


def test_a_chart_is_drawn_for_a_part_with_peers(found: Results) -> None:
    drawing = ElementTree.fromstring(rendering.drawings(found)["reading.svg"])
    bars = drawing.findall(f"{SVG}rect")
    assert [bar.get("class") for bar in bars] == ["ours", "bar"]
    widths = [float(bar.get("width", 0)) for bar in bars]
    assert widths[0] / widths[1] == pytest.approx(1234 / 2000, abs=0.01)


def test_answers_from_a_cache_have_a_chart_of_their_own(found: Results) -> None:
    run = found["parts"]["reading"]
    cached = Row("aviary, cached: requests per second", 9000, "", None, "requests/s", 8000, 9500)
    drawn = rendering.drawings({**found, "parts": {"reading": {**run, "rows": [*run["rows"], packed(cached)]}}})
    assert "aviary, cached" in drawn["reading-cached.svg"]
    assert "aviary, cached" not in drawn["reading.svg"]


def test_a_chart_names_its_bars_for_who_cannot_see_it(found: Results) -> None:
    drawing = ElementTree.fromstring(rendering.drawings(found)["reading.svg"])
    assert "bare & fast 2,000" in (drawing.findtext(f"{SVG}desc") or "")


def test_no_bar_leaves_the_chart() -> None:
    drawing = ElementTree.fromstring(charts.bars("title", [charts.Bar("a", 10, 5, 20), charts.Bar("b", 1, 1, 1)]))
    for bar in drawing.findall(f"{SVG}rect"):
        assert float(bar.get("x", 0)) + float(bar.get("width", 0)) <= charts.WIDTH - charts.RIGHT


def test_every_part_has_a_title() -> None:
    from benchmarks.parts import PARTS

    assert list(rendering.TITLES) == list(PARTS)


def test_the_documentation_shows_what_was_measured() -> None:
    found = results.load()
    assert section_of(PERFORMANCE, rendering.SECTION) == rendering.markdown(found), "Run make bench ARGS=--render."
    for name, drawing in rendering.drawings(found).items():
        assert (rendering.CHARTS / name).read_text() == drawing
