"""Side by side with what people would pick instead: `python -m benchmarks`, or `make bench`.

One data set, one server process per peer, bursts of load in turn, so that a noisy minute falls on all.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.aviary_settings")
REQUIREMENTS = Path(__file__).parent / "requirements.txt"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of load per peer and round")
    parser.add_argument("--only", nargs="*", default=[], help="names, or parts of names, of peers")
    options = parser.parse_args()
    try:
        import fastapi  # noqa: F401
    except ImportError:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "-r", str(REQUIREMENTS)], check=True)
    from config import embedded

    embedded.ensure()
    django.setup()
    from benchmarks.side_by_side import run

    with tempfile.TemporaryDirectory() as folder:
        run(options, Path(folder))


if __name__ == "__main__":
    main()
