"""Bar charts as SVG by hand, readable on light and on dark pages."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP, LINE, THICK = 760, 270, 90, 44, 26, 16
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px }
.bar { fill: #8c959f }
.ours { fill: #1a7f64 }
.spread { stroke: #24292f; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .bar { fill: #6e7681 }
  .ours { fill: #3fb68e }
  .spread { stroke: #e6edf3 }
}
"""
OURS = "aviary"


class Bar(NamedTuple):
    label: str
    value: float
    low: float
    high: float


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Draw one bar per row, the extremes of its rounds as a thin line; ours in another colour."""
    most = max(row.high for row in rows) or 1
    scale = (WIDTH - LEFT - RIGHT) / most
    height = TOP + LINE * len(rows) + 10
    spoken = ", ".join(f"{row.label} {row.value:,.0f}" for row in rows)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(spoken)}</desc>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="10" y="24">{escape(title)}</text>',
    ]
    for number, row in enumerate(rows):
        lines += bar(row, TOP + LINE * number, scale)
    return "\n".join([*lines, "</svg>"]) + "\n"


def bar(row: Bar, top: float, scale: float) -> list[str]:
    middle, kind = top + THICK / 2, "ours" if row.label.startswith(OURS) else "bar"
    return [
        f'<text x="{LEFT - 10}" y="{middle + 5:g}" text-anchor="end">{escape(row.label)}</text>',
        f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{row.value * scale:.1f}" height="{THICK}" rx="2"/>',
        f'<path class="spread" d="M{LEFT + row.low * scale:.1f} {middle:g}H{LEFT + row.high * scale:.1f}"/>',
        f'<text x="{LEFT + row.high * scale + 8:.1f}" y="{middle + 5:g}">{row.value:,.0f}</text>',
    ]
