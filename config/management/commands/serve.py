import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from granian import Granian
from granian.constants import Interfaces

THREADS = 4


class Command(BaseCommand):
    help = "Serves Aviary with granian; the settings module decides in which mode."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=os.cpu_count())
        # While some wait for the database another computes, and finds the processor's caches warm: of the feed two
        # answer a quarter less, one less than half. Beyond four only the slowest answers get slower.
        parser.add_argument("--threads", type=int, default=THREADS, help="per worker, beside settings.EVENT_STREAMS")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)
        settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
        Granian(
            "config.wsgi:application",
            address=options["host"],
            port=options["port"],
            interface=Interfaces.WSGI,
            workers=options["workers"],
            # A stream holds its thread: these are never taken from other requests. Each keeps a database connection.
            blocking_threads=options["threads"] + settings.EVENT_STREAMS,
            # A thread that ends takes its persistent database connection with it: keep idle ones as long as possible.
            blocking_threads_idle_timeout=600,
            # Beyond this many waiting requests a worker's queue only grows older.
            backpressure=options["threads"] * 32 + settings.EVENT_STREAMS,
            respawn_failed_workers=True,
            # Streams end by themselves when it does; what has no end by then is cut off.
            workers_kill_timeout=30,
            # Uploads are images that were decoded and written anew; their names are digests and never reused.
            static_path_route=[settings.MEDIA_URL.rstrip("/")],
            static_path_mount=[settings.MEDIA_ROOT],
        ).serve()
