"""Time the generation engine: providers are simulated, so that everything else that takes time is ours.

Milliseconds unless a name says otherwise. The rows that are made are removed again.
"""

import io
import random
import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import psutil
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from PIL import Image

from agents.knowledge.services import save_content
from agents.models import Agent, Profile, User
from agents.services.agents import create_agent
from agents.services.people import create_person
from performance.caches import caches
from posts.generation import providers
from posts.generation.context import agent_context, load_context
from posts.generation.engine.dispatcher import Dispatcher
from posts.generation.models import Run, RunStep
from posts.generation.pipelines import PIPELINES
from posts.generation.providers.base import ImagePrompt, ImageResult, TextPrompt, TextResult, Usage
from posts.generation.services.runs import create_run
from posts.services.posts import create_post

# What the steps of the seed's run took, in seconds, scaled down ten times.
SEED_SECONDS = {"image_prompt": 0.225, "title": 0.225, "description": 0.45, "generate_image": 2.7}
# What the seeds waited between two steps by their own setting (PIPELINE_STEP_DELAY), after they had cut it from two.
SEED_STEP_DELAY = 0.5
LONGEST_PATH = SEED_SECONDS["image_prompt"] + SEED_SECONDS["generate_image"]
ASKED = ("image_prompt", "title", "description")
delays: dict[str, float] = {}
WORDS = re.findall(
    r"\w+",
    """
anchor apple arrow autumn bakery balcony banjo barley basket beacon bicycle blanket bottle bridge bronze
butter button cabin camel candle canyon carpet castle cedar cellar cherry chimney clover cobalt comet compass
copper coral cotton cradle crystal curtain desert diamond dinner doctor dragon drawer eagle echo elbow engine
envelope fabric falcon feather fiddle finger flute forest fountain garden garlic gasket ginger glacier glove
granite hammer harbor harvest hazel helmet hockey honey hotel insect island ivory jacket jungle kettle kitchen
ladder lantern leather lemon library lizard magnet maple marble market meadow melon mirror mosque motor
mountain museum mustard needle nephew ocean olive orchard oyster paddle palace paper parade parrot pencil
pepper piano pillow planet pocket potato prairie prison pumpkin quartz rabbit radio railway ribbon river
rocket saddle salmon sandal satellite senate shadow shelter silver soldier spider spoon square statue summer
tailor teacher temple thunder ticket tiger tobacco tractor trumpet tunnel turtle umbrella valley velvet
village violin walnut window winter
    """,
)


def answer(task: str) -> dict[str, str]:
    """Return an answer in words that no other has: an agent that says the same twice is refused."""
    match task:
        case "image_prompt":
            return {"prompt": f"A picture of {topic()}.", "alt": topic()}
        case "title":
            return {"title": topic()}
        case _:
            return {"body": f"{topic()}. {topic()}."}


def topic() -> str:
    """Return words that are near to no others."""
    return " ".join(random.sample(WORDS, 5))


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 18), "teal").save(buffer, "PNG")
    return buffer.getvalue()


PICTURE = picture()


class TimedText:
    def estimate(self, prompt: TextPrompt) -> Usage:
        return Usage(tokens_in=10, tokens_out=10)

    def write(self, prompt: TextPrompt, *, key: str) -> TextResult:
        time.sleep(delays.get(prompt.task, 0.0))
        return TextResult(data=answer(prompt.task), model="timed", usage=Usage(tokens_in=5, tokens_out=5))


class TimedImage:
    def estimate(self, prompt: ImagePrompt) -> Usage:
        return Usage()

    def draw(self, prompt: ImagePrompt, *, key: str) -> ImageResult:
        time.sleep(delays.get("generate_image", 0.0))
        return ImageResult(content=PICTURE, model="timed", usage=Usage())


def carry(run: Run, *, dispatcher: Dispatcher) -> None:
    dispatcher.run_until_settled([run.pk])
    assert Run.objects.get(pk=run.pk).state == Run.State.DONE, Run.objects.get(pk=run.pk).error


@contextmanager
def house() -> Iterator[Agent]:
    """Make an agent with knowledge; remove it and all that it wrote afterwards."""
    settings.TEXT_PROVIDER, settings.IMAGE_PROVIDER = (
        "benchmarks.generation.TimedText",
        "benchmarks.generation.TimedImage",
    )
    settings.DAILY_TOKENS = 10**9
    providers.forget()
    owner = create_person(username=f"bench{time.time_ns()}", password=None)
    agent = create_agent(owner=owner, handle=f"bench{time.time_ns()}", persona={"topics": ["birds"]})
    for number in range(20):
        save_content(agent=agent, platform="notes", title=f"Note {number}", text=f"Herons fish alone, note {number}.")
    try:
        yield Agent.objects.select_related("profile", "persona").get(pk=agent.pk)
    finally:
        Profile.objects.filter(agent__owner=owner).delete()
        User.objects.filter(profile=owner).delete()


def wall_over_longest_path(agent: Agent) -> float:
    """Return the wall time of a run over the longest path through the provider's own delays."""
    delays.update(SEED_SECONDS)
    dispatcher = Dispatcher()
    ratios = []
    for _ in range(3):
        run = create_run(agent=agent, topic=topic())
        started = time.perf_counter()
        carry(run, dispatcher=dispatcher)
        ratios.append((time.perf_counter() - started) / LONGEST_PATH)
    delays.clear()
    dispatcher.close()
    return statistics.median(ratios)


class Own(NamedTuple):
    """What a run takes that is not the provider's: milliseconds on the clock and of this process's CPU."""

    wall: float
    cpu: float


def own_times(agent: Agent, *, runs: int = 30) -> tuple[Own, Own]:
    """Return the medians of a warm run of ours and of one as the seeds did it, taken in turn.

    Both with a provider that answers at once, from creation to the post. Each on a thread and hence a connection of its
    own: the seeds close theirs between steps, which must not take the warmth from ours.
    """
    dispatcher = Dispatcher()
    ours, seeds = [], []
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        for _ in range(runs):
            ours.append(one.submit(timed, lambda: carry_new(agent, dispatcher)).result())
            seeds.append(other.submit(timed, lambda: seed_run(agent.profile.handle)).result())
        one.submit(dispatcher.close).result()
        other.submit(lambda: connection.close()).result()
    return middle(ours), middle(seeds)


def carry_new(agent: Agent, dispatcher: Dispatcher) -> None:
    dispatcher.run_until_settled([create_run(agent=agent, topic=topic()).pk])


def timed(work: Callable[[], object]) -> Own:
    started, used = time.perf_counter(), time.process_time()
    work()
    return Own((time.perf_counter() - started) * 1000, (time.process_time() - used) * 1000)


def middle(times: list[Own]) -> Own:
    return Own(statistics.median(own.wall for own in times), statistics.median(own.cpu for own in times))


def statements_of_a_run(agent: Agent) -> int:
    """Return the statements of a warm run, transaction control included, from creation to the post."""
    dispatcher = Dispatcher()
    with CaptureQueriesContext(connection) as queries:
        carry_new(agent, dispatcher)
    dispatcher.close()
    return len(queries)


def seed_run(handle: str, *, step_delay: float = 0.0) -> None:
    """Do the same work the way the seeds did it.

    One step after the other; each service connects by itself; the context is loaded by several queries; the
    status is saved as a whole row after each step. `step_delay`: the seconds that they waited between two steps.
    """
    run = Run.objects.create(agent=Agent.objects.get(profile__handle=handle), pipeline="post", topic=topic())
    for position, step in enumerate(PIPELINES["post"].steps):
        RunStep.objects.create(run=run, name=step.name, position=position)
    results: dict[str, Any] = {}
    connection.close()
    agent = Agent.objects.get(profile__handle=handle)
    results["context"] = [agent.profile.bio, agent.owner.handle, agent.persona and agent.persona.topics]
    results["titles"] = [agent.contents.get(pk=pk).title for pk in agent.contents.values_list("pk", flat=True)]
    for step in run.steps.all():
        step.state = "running"
        step.save()
        if step.name in ASKED:
            results[step.name] = answer(step.name)
        elif step.name == "generate_image":
            Image.open(io.BytesIO(PICTURE)).convert("RGB").save(io.BytesIO(), "WEBP", quality=86, method=4)
        step.state, step.output = "done", results.get(step.name)
        step.save()
        run.refresh_from_db()
        run.save()
        time.sleep(step_delay)
    connection.close()
    agent = Agent.objects.get(profile__handle=handle)
    with transaction.atomic():
        post = create_post(author=agent.profile, title=results["title"]["title"], body="…", is_generated=True)
        run.post, run.state = post, Run.State.DONE
        run.save()


def in_flight(agent: Agent, *, count: int = 200) -> tuple[int, int, float]:
    """Return peak connections, runs that did not finish, and MB of memory, for many runs on one worker."""
    delays.update(dict.fromkeys(SEED_SECONDS, 1.0))
    runs = [create_run(agent=agent, topic=topic()).pk for _ in range(count)]
    dispatcher = Dispatcher(slots=count)
    worker = threading.Thread(target=lambda: (dispatcher.run_until_settled(runs), dispatcher.close()))
    worker.start()
    peak, memory, process = 0, 0.0, psutil.Process()
    with connection.cursor() as cursor:
        while worker.is_alive():
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            peak = max(peak, cursor.fetchone()[0])
            memory = max(memory, process.memory_info().rss / 1e6)
            time.sleep(0.02)
    delays.clear()
    return peak, Run.objects.filter(pk__in=runs).exclude(state="done").count(), memory


def context_ms(agent: Agent) -> tuple[float, float, int]:
    """Return the median of a warm and of a cold context, and the statements of the cold one."""

    def median(work: Callable[[], object]) -> float:
        times = []
        for _ in range(100):
            started = time.perf_counter()
            work()
            times.append((time.perf_counter() - started) * 1000)
        return statistics.median(times)

    agent_context(agent)
    warm = median(lambda: agent_context(agent))
    cold = median(lambda: load_context(agent.pk))
    caches["agent_context"].clear()
    with CaptureQueriesContext(connection) as queries:
        agent_context(agent)
    return warm, cold, len(queries)


def rows() -> list[dict[str, Any]]:
    """Measure everything; return one row per figure of the goals."""
    with house() as agent:
        ratio = wall_over_longest_path(agent)
        own, seeds = own_times(agent)
        waiting = timed(lambda: seed_run(agent.profile.handle, step_delay=SEED_STEP_DELAY))
        statements = statements_of_a_run(agent)
        warm, cold, cold_statements = context_ms(agent)
        peak, unfinished, memory = in_flight(agent)
    return [
        row("generation: wall time / longest path through the provider", ratio, "<=", 1.02, "ratio"),
        row("generation: own time per post run, warm", own.wall, "<=", 50, "ms"),
        row("generation: own CPU time per post run, warm", own.cpu, "<=", 50, "ms"),
        row("generation: statements per post run, transaction control included", statements, "<=", 25, "statements"),
        row("generation: own time as the seeds did it / ours", seeds.wall / own.wall, ">=", 5, "ratio"),
        row(
            "generation: the same with the seeds' own waiting between steps", waiting.wall / own.wall, ">=", 5, "ratio"
        ),
        row("generation: own CPU time as the seeds did it / ours", seeds.cpu / own.cpu, ">=", 5, "ratio"),
        row("generation: peak connections with 200 runs in flight", peak, "<=", 10, "connections"),
        row("generation: runs of 200 that did not finish", unfinished, "<=", 0, "runs"),
        row("generation: memory with 200 runs in flight", memory, "<=", 400, "MB"),
        row("generation: context, warm", warm, "<=", 1, "ms"),
        row("generation: context, cold / warm", cold / warm, ">=", 10, "ratio"),
        row("generation: statements of a cold context", cold_statements, "<=", 1, "statements"),
    ]


def row(name: str, value: float, op: str, goal: float, unit: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "op": op, "goal": goal, "unit": unit}
