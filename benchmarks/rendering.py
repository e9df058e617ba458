"""Results as people read them: a table on the terminal, a section and charts in docs/performance.md."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import charts, results
from benchmarks.results import Results, Row, Run, rows_of

DOCS = Path(__file__).parents[1] / "docs"
CHARTS = DOCS / "charts"
SECTION = "bench"
TITLES = {
    "reading": "The feed, side by side",
    "writing": "Writes, beside the same statements through bare psycopg",
    "growth": "The feed as the data grow",
    "mix": "A mix of reads",
    "monitoring": "What measuring costs",
    "pages": "Pages beside the JSON they show",
    "timelines": "Home inside the database",
    "generation": "Generation",
    "publishing": "Publishing",
    "retrieval": "Retrieval",
}
CACHING = ("cached", "Valkey", "Redis")
# "peer: figure" rows make a table of their own, a line per peer.
COLUMNS = ("requests per second", "CPU", "p50", "p95", "p99", "RSS")


def number(value: float) -> str:
    """Write a figure with three significant digits, large ones in full."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def measured(row: Row) -> str:
    return f"{number(row.value)} {row.unit}".rstrip()


def target(row: Row) -> str:
    return "" if row.goal is None else f"{row.op} {number(row.goal)}"


def spread(row: Row) -> str:
    return "" if row.low is None or row.high is None else f"{number(row.low)} to {number(row.high)}"


def verdict(row: Row) -> str:
    return {None: "", True: "reached", False: "MISSED"}[row.is_reached]


HEAD = ["figure", "target", "measured", "rounds", ""]


def lines_of(rows: Sequence[Row]) -> list[list[str]]:
    """Write each row as cells, but the figures of a peer only when they have a goal."""
    peers = peer_figures(rows)
    shown = [row for row in rows if row.name.rpartition(": ")[0] not in peers or row.goal is not None]
    return [[row.name, target(row), measured(row), spread(row), verdict(row)] for row in shown]


def terminal(rows: Sequence[Row]) -> str:
    """Align what the rows say under each other, and after them a line per peer."""
    peers = peer_figures(rows)
    return "\n\n".join(
        aligned(lines) for lines in ([HEAD, *lines_of(rows)], peer_lines(peers) if peers else []) if len(lines) > 1
    )


def aligned(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def peer_figures(rows: Sequence[Row]) -> dict[str, dict[str, Row]]:
    """Collect the rows called "peer: figure" by peer."""
    peers: dict[str, dict[str, Row]] = {}
    for row in rows:
        peer, _, column = row.name.rpartition(": ")
        if peer and column in COLUMNS:
            peers.setdefault(peer, {})[column] = row
    return {peer: figures for peer, figures in peers.items() if "requests per second" in figures}


def markdown(found: Results) -> str:
    """Render everything that was measured, part by part."""
    if not found["parts"]:
        return "\nNothing is measured yet: run `make bench`.\n\n"
    return f"\nMeasured on {found['machine']}.\n\n" + "\n".join(
        "\n".join(part(name, found["parts"][name])) for name in TITLES if name in found["parts"]
    )


def part(name: str, run: Run) -> Iterator[str]:
    rows = rows_of(run)
    posts = f" {run['posts']:,} posts," if run["posts"] else ""
    yield f"### {TITLES[name]}\n"
    yield (
        f"`make bench ARGS={name}`, {run['measured_at'][:10]},{posts} {run['seconds']:.0f} s,"
        f" load average before it {run['load']:.1f}.\n"
    )
    peers = peer_figures(rows)
    if lines := lines_of(rows):
        yield from table(HEAD, lines)
        yield ""
    if peers:
        head, *lines = peer_lines(peers)
        yield from table(head, lines)
        yield ""
        for file, title, _ in charts_of(name, run):
            yield f"![{title}: requests per second of each peer](charts/{file})\n"


def peer_lines(peers: dict[str, dict[str, Row]]) -> list[list[str]]:
    columns = [column for column in COLUMNS if any(column in figures for figures in peers.values())]
    units = {column: row.unit for figures in peers.values() for column, row in figures.items()}
    head = [column if column == "requests per second" else f"{column}, {units[column]}" for column in columns]
    lines = [
        [
            peer,
            *(number(figures[column].value) if column in figures else "" for column in columns),
            spread(figures["requests per second"]),
        ]
        for peer, figures in peers.items()
    ]
    return [["peer", *head, "rounds"], *lines]


def table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    for line in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"


def drawings(found: Results) -> dict[str, str]:
    """Return the charts by file name."""
    return {
        name: charts.bars(f"{title}: requests per second", [bar_of(peer, figures) for peer, figures in peers.items()])
        for part_name, run in found["parts"].items()
        for name, title, peers in charts_of(part_name, run)
    }


def charts_of(name: str, run: Run) -> Iterator[tuple[str, str, dict[str, dict[str, Row]]]]:
    """Return the charts of a part: file, title, peers. Answers from a cache dwarf the others, and have their own."""
    peers = peer_figures(rows_of(run))
    for suffix, title, is_cached in (("", TITLES[name], False), ("-cached", f"{TITLES[name]}, cached", True)):
        shown = {peer: each for peer, each in peers.items() if any(word in peer for word in CACHING) is is_cached}
        if shown:
            yield f"{name}{suffix}.svg", title, shown


def bar_of(peer: str, figures: dict[str, Row]) -> charts.Bar:
    row = figures["requests per second"]
    return charts.Bar(peer, row.value, row.low or row.value, row.high or row.value)


def write() -> None:
    """Write the section and the charts of what `results.json` holds."""
    from performance.documents import PERFORMANCE, write_section

    found = results.load()
    CHARTS.mkdir(exist_ok=True)
    for name, drawing in drawings(found).items():
        (CHARTS / name).write_text(drawing)
    write_section(PERFORMANCE, SECTION, markdown(found))
