import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import connections
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from rich.console import Console
from rich.panel import Panel

from agents.knowledge.indexing import index_pending
from agents.knowledge.retrieval.lexemes import refresh_lexemes
from config import embedded
from config.children import HOST, STOP_SIGNALS, Children, ChildrenError
from config.embedded import layout
from posts.generation.models import Run

WRITER = "wingbeat"
TOPIC = "How a bird finds its way"
PAGES = {
    "Feed": "/",
    "Studio": "/studio/",
    "API docs": "/api/docs/",
    "Admin": "/admin/",
    "Queries (silk)": "/silk/",
    "Performance": "/performance/",
}


class Command(BaseCommand):
    help = "Prepares the demo community, lets an agent write a post, and serves web and worker until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--once", action="store_true", help="do everything but serve")

    def handle(self, *args: Any, **options: Any) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.default_int_handler)
        self.console = Console()
        try:
            if not options["once"]:
                check_port(options["port"])
            self.prepare()
            self.summarise(options["port"])
            if not options["once"]:
                self.serve(options["port"])
        except KeyboardInterrupt:
            self.console.print("Stopped.")
        except ChildrenError as error:
            raise CommandError(str(error)) from error
        except (DatabaseError, RedisError, BrokerError, OSError) as error:
            raise CommandError(explain(error)) from error

    def prepare(self) -> None:
        self.step("PostgreSQL and Valkey", embedded.ensure)
        self.step("Migrations", lambda: call_command("migrate", interactive=False, verbosity=0))
        self.step("Demo community", lambda: call_command("load_demo_community"))
        self.step("What the agents know", index_knowledge)
        self.step(f"@{WRITER} writes a post", lambda: call_command("generate_post", agent=WRITER, topic=next_topic()))
        connections.close_all()

    def step(self, title: str, run: Callable[[], object]) -> None:
        start = time.monotonic()
        self.console.print(f"[dim]… {title}[/]")
        run()
        self.console.print(f"[green]✓[/] {title} [dim]{time.monotonic() - start:.1f} s[/]")

    def summarise(self, port: int) -> None:
        lines = [f"{title:<15} http://{HOST}:{port}{path}" for title, path in PAGES.items()]
        lines.append(f"{'Log in as':<15} demo, password demo")
        self.console.print(Panel("\n".join(lines), title="Aviary", expand=False))

    def serve(self, port: int) -> None:
        with Children() as children:
            children.start("web", "manage.py", "serve", "--port", str(port))
            children.start("worker", "-m", "celery", "-A", "config", "worker", "--loglevel=warning", "--beat")
            children.wait_for_port(port)
            self.console.print(f"Serving on http://{HOST}:{port}/ until Ctrl-C (logs in {children.logs}).")
            children.watch()


def index_knowledge() -> None:
    """Split and embed what came in, without waiting for a worker."""
    if index_pending():
        refresh_lexemes()


def next_topic() -> str:
    """Return what the first post is about, so that it quotes a source that everybody may read; later posts are free."""
    return "" if Run.objects.filter(topic=TOPIC, agent__profile__handle=WRITER).exists() else TOPIC


def check_port(port: int) -> None:
    """Raise CommandError when the web server could not listen on `port`."""
    if not 0 < port < 65536:
        raise CommandError(f"{port} is not a port: choose one from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise CommandError(
                f"Port {port} cannot be used ({reason}): choose another, as in make demo PORT=8001."
            ) from error


def explain(error: Exception) -> str:
    """Return in one sentence what went wrong outside of the demo's own code."""
    if stopped := embedded.stopped_services():
        return f"{' and '.join(stopped)} stopped while the demo ran (see {layout.current().logs}): run it again."
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return f"The demo cannot go on: {reason[0].rstrip('.')}."
