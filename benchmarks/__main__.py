"""Measure everything that Aviary promises about speed: `python -m benchmarks`, or `make bench`.

All parts, or those that are named: reading, writing, growth, mix, monitoring and pages are the side-by-side ones.
Writes benchmarks/results.json and the section and charts of docs/performance.md.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import django

from benchmarks import machine, rendering, results
from benchmarks.options import Options
from benchmarks.parts import ON_POSTS, PARTS
from benchmarks.results import Row, Run, packed

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
ARTICLES = Path(__file__).parents[2] / "shared" / "data" / "articles" / "articles.jsonl.gz"
# Longer than any part takes; what hangs does not take the others with it.
MOST_SECONDS = 3600


def main() -> None:
    arguments = parser().parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.peers.aviary_settings"
    if arguments.part_into:
        run_part(arguments)
        return
    if arguments.render:
        django.setup()
        rendering.write()
        return
    install()
    from config import embedded

    embedded.ensure()
    if arguments.drop or arguments.fill:
        django.setup()
        from benchmarks import databases

        if arguments.drop:
            databases.drop_all()
        else:
            databases.fill(posts=arguments.posts, is_all=arguments.all)
        return
    if failed := run_all(arguments):
        sys.exit(f"Not measured: {', '.join(failed)}.")


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", type=part_name, help=", ".join(PARTS))
    parser.add_argument("--posts", type=int, default=Options.posts, help="default 1,000,000")
    parser.add_argument("--rounds", type=int, default=Options.rounds, help="default 5")
    parser.add_argument("--seconds", type=float, default=Options.seconds, help="of load per peer and round, default 2")
    parser.add_argument("--peers", nargs="*", default=[], help="names, or parts of names, of peers; default all")
    parser.add_argument("--all", action="store_true", help="also ten million posts and a million passages (hours)")
    parser.add_argument("--articles", type=Path, default=ARTICLES, help="FILE.jsonl.gz for retrieval")
    parser.add_argument("--fill", action="store_true", help="only make the databases, which later runs find ready")
    parser.add_argument("--drop", action="store_true", help="only drop the databases that runs keep")
    parser.add_argument("--render", action="store_true", help="only write docs/performance.md from results.json")
    parser.add_argument("--part-into", type=Path, help=argparse.SUPPRESS)
    return parser


def part_name(text: str) -> str:
    """Raises `ArgumentTypeError` for what is no part."""
    if text not in PARTS:
        raise argparse.ArgumentTypeError(f"there is no part {text}: {', '.join(PARTS)}")
    return text


def install() -> None:
    """Install the peers into the running environment, unless they are there."""
    try:
        import asyncpg  # noqa: F401
        import fastapi  # noqa: F401
        import ninja  # noqa: F401
        import sqlalchemy  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "-r", str(REQUIREMENTS)], check=True)


def run_all(arguments: argparse.Namespace) -> list[str]:
    """Run part after part, keep what each finds at once; return the names of those that failed."""
    found, failed = results.load(), []
    found["machine"] = machine.describe()
    for name in arguments.parts or PARTS:
        print(f"\n== {rendering.TITLES[name]} ({name})", flush=True)
        if name == "retrieval" and not arguments.articles.exists():
            print(f"Left out: there is no {arguments.articles}; name a file with --articles FILE.jsonl.gz.")
            continue
        run = run_in_child(name)
        if run is None:
            failed.append(name)
            continue
        found["parts"][name] = run
        results.save(found)
        rows = [Row(**row) for row in run["rows"]]
        print(f"\n{rendering.terminal(rows)}\n\n{name} took {run['seconds']:.0f} s.", flush=True)
    subprocess.run([sys.executable, "-m", "benchmarks", "--render"], check=True)
    print(f"\nWrote {results.FILE} and {rendering.DOCS / 'performance.md'}.\n\n{summary(found)}")
    return failed


def summary(found: results.Results) -> str:
    """Show every row that has a goal."""
    rows = [row for run in found["parts"].values() for row in results.rows_of(run) if row.goal is not None]
    missed = sum(not row.is_reached for row in rows)
    return f"{rendering.terminal(rows)}\n\n{len(rows) - missed} of {len(rows)} goals reached."


def run_in_child(name: str) -> Run | None:
    """Run one part in a process group of its own; return None when it fails or hangs."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "part.json"
        options = [argument for argument in sys.argv[1:] if argument not in PARTS]
        command = [sys.executable, "-m", "benchmarks", name, *options, "--part-into", str(target)]
        child = subprocess.Popen(command, start_new_session=True)
        try:
            child.wait(MOST_SECONDS)
        except BaseException as error:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
        return json.loads(target.read_text()) if target.exists() else None


def run_part(arguments: argparse.Namespace) -> None:
    """Measure one part and leave its run in a file."""
    django.setup()
    options = Options.parse(arguments)
    (name,) = arguments.parts
    run: Run = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": 0.0, "load": os.getloadavg()[0],
        "posts": options.posts if name in ON_POSTS else 0, "rows": [],
    }  # fmt: skip
    started = time.monotonic()
    run["rows"] = [packed(row) for row in PARTS[name](options)]
    run["seconds"] = round(time.monotonic() - started, 1)
    arguments.part_into.write_text(json.dumps(run))


if __name__ == "__main__":
    main()
