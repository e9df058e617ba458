"""Small charts as SVG: drawn by the server, coloured by the style sheet, readable without seeing them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import slugify

WIDTH, HEIGHT = 360, 180
LEFT, BOTTOM, TOP = 34, 22, 12
STEPS = (1, 2, 5)
SHOWN_LABELS = 6
ROW_HEIGHT, NAME_WIDTH, FIGURE_WIDTH = 30, 80, 90
HEAT_HEIGHT = 19


@dataclass(frozen=True)
class Point:
    """One value with its label, and how it is said in full."""

    label: str
    value: float
    said: str = ""

    @property
    def words(self) -> str:
        return self.said or f"{self.value:g}"


def nice_top(highest: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, 50 ... that is not below a value: where an axis ends."""
    scale = 10.0 ** (len(str(int(highest))) - 1) if highest >= 1 else 1.0
    return next((step * scale for step in STEPS if step * scale >= highest), 10 * scale)


def px(length: float) -> str:
    """Write a length as an attribute: a tenth of a pixel is seen by nobody."""
    return f"{length:.1f}"


def framed(title: str, description: str, body: SafeString, height: float = HEIGHT) -> SafeString:
    """Put a drawing into an SVG that says what it shows."""
    name = slugify(title)
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}</svg>',
        WIDTH, int(height), name, name, name, title, name, description, body,
    )  # fmt: skip


def columns(title: str, points: Sequence[Point]) -> SafeString:
    """Draw values over time as columns, with lines at half and the whole of the scale."""
    top = nice_top(max((point.value for point in points), default=0))
    slot = (WIDTH - LEFT) / max(len(points), 1)
    wide = min(slot * 0.7, 40)
    room = HEIGHT - TOP - BOTTOM
    centres = [LEFT + slot * (place + 0.5) for place in range(len(points))]
    bars = format_html_join(
        "",
        '<rect class="bar" x="{}" y="{}" width="{}" height="{}" rx="1.5"><title>{}: {}</title></rect>',
        (
            (px(x - wide / 2), px(TOP + room - long), px(wide), px(long), point.label, point.words)
            for x, point in zip(centres, points, strict=True)
            if (long := room * point.value / top)
        ),
    )
    every = max(1, -(-len(points) // SHOWN_LABELS))
    labels = format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="middle">{}</text>',
        ((px(x), HEIGHT - 6, point.label) for x, point in list(zip(centres, points, strict=True))[::every]),
    )
    return framed(title, summary_of(points), grid(top) + bars + labels)


def grid(top: float) -> SafeString:
    """Draw the lines of a scale, with its numbers."""
    shares = (0, 1) if top == 1 else (0, 0.5, 1)
    values = [(top * share, TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)) for share in shares]
    return format_html_join(
        "",
        '<line x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>',
        ((LEFT, WIDTH, px(y), px(y), LEFT - 6, px(y + 4), f"{v:g}") for v, y in values),
    )


def bars(title: str, points: Sequence[Point]) -> SafeString:
    """Draw values of a few things as bars, each with its figure at the end."""
    top = max((point.value for point in points), default=0) or 1
    lengths = [(WIDTH - NAME_WIDTH - FIGURE_WIDTH) * point.value / top for point in points]
    rows = zip(range(0, len(points) * ROW_HEIGHT, ROW_HEIGHT), points, lengths, strict=True)
    body = format_html_join(
        "",
        '<text class="name" x="0" y="{}">{}</text><rect class="bar" x="{}" y="{}" width="{}" height="16" rx="2"/>'
        '<text x="{}" y="{}">{}</text>',
        (
            (y + 18, point.label, NAME_WIDTH, y + 6, px(max(long, 1.5)), px(NAME_WIDTH + 8 + long), y + 18, point.words)
            for y, point, long in rows
        ),
    )
    return framed(title, summary_of(points), body, max(len(points), 1) * ROW_HEIGHT)


def heat(title: str, description: str, rows: Sequence[tuple[str, Sequence[Point | None]]]) -> SafeString:
    """Draw the hours of a few days as squares in four strengths; what has no value stays pale."""
    top = max((point.value for _, points in rows for point in points if point), default=0) or 1
    wide = (WIDTH - LEFT) / 24
    squares = format_html_join(
        "",
        '<rect class="heat-{}" x="{}" y="{}" width="{}" height="16" rx="2">{}</rect>',
        (
            (strength(point, top), px(LEFT + wide * hour), row * HEAT_HEIGHT, px(wide - 1.5), tip(point))
            for row, (_, points) in enumerate(rows)
            for hour, point in enumerate(points)
        ),
    )
    names = format_html_join(
        "", '<text x="0" y="{}">{}</text>', ((row * HEAT_HEIGHT + 12, name) for row, (name, _) in enumerate(rows))
    )
    foot = len(rows) * HEAT_HEIGHT + 14
    hours = format_html_join(
        "", '<text x="{}" y="{}">{}</text>', ((px(LEFT + wide * hour), foot, f"{hour:02}") for hour in range(0, 24, 3))
    )
    return framed(title, description, squares + names + hours, foot + 6)


def tip(point: Point | None) -> SafeString:
    return format_html("<title>{}</title>", point.words) if point else SafeString("")


def strength(point: Point | None, top: float) -> int:
    return 0 if point is None else 1 + min(3, int(4 * point.value / top))


def summary_of(points: Sequence[Point]) -> str:
    """Say what a chart shows to somebody who does not see it."""
    if not any(point.value for point in points):
        return "There is nothing to show."
    highest = max(points, key=lambda point: point.value)
    return f"{len(points)} values; the highest is {highest.words}, {highest.label}."
