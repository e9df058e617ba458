"""Writes docs/screenshots/ for `make screenshots`: the demo community as people see it. Not a test of anything.

Every page at three widths, light and dark, goes into .aviary/screenshots/ to be looked at, on one sheet per page;
what the documents show goes into docs/screenshots/.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from itertools import product
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page, expect

from agents.inbox.services.conversations import start_conversation
from agents.knowledge import poking as knowledge_poking
from agents.knowledge.indexing import index_pending
from agents.knowledge.models import Card, Content, Passage
from agents.knowledge.services.cards import create_card
from agents.models import Agent, Profile
from agents.services.agents import create_agent, save_persona
from posts.generation import poking
from posts.generation.models import Run
from posts.generation.services.cadences import save_cadence
from posts.generation.services.runs import create_run
from posts.models import Post
from posts.publishing.models import Publication
from tests.browser.conftest import Visit
from tests.browser.test_studio import carry
from tests.factories import make_reading
from tests.posts.publishing.test_report import publish
from tests.publishing import make_account, make_publication

ROOT = Path(__file__).resolve().parents[2]
DOCS, ALL = ROOT / "docs" / "screenshots", ROOT / ".aviary" / "screenshots"
MAX_BYTES = 110_000
COLOURS = 256
SIZES = {1440: 900, 768: 1000, 320: 640}
SCHEMES = ("light", "dark")
# What the documents show of each page, as width and scheme.
SHOWN = {
    "front": [(1440, "dark"), (320, "light")],
    "home": [(1440, "light"), (320, "dark")],
    "post": [(1440, "light")],
    "profile": [(768, "light")],
    "studio": [(1440, "light")],
    "run": [(768, "dark")],
    "cadence": [(768, "light")],
    "card": [(320, "light")],
    "calendar": [(1440, "light"), (320, "dark")],
    "schedule": [(768, "light")],
    "analytics": [(1440, "dark")],
    "messages": [(320, "light")],
}


@pytest.mark.filterwarnings("default")
def test_write_the_screenshots(visit: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poking, "send", lambda run_id: True)
    monkeypatch.setattr(knowledge_poking, "_send", lambda task, args: None)
    call_command("load_demo_community", allow_production=True, verbosity=0)
    call_command("generate_post", agent="wingbeat")
    demo = Profile.objects.get(handle="demo")
    pages = dict(pages_of(demo))
    for name, address in pages.items():
        browser = visit(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", locale="en-GB")
        if name not in ("front", "log-in"):
            browser.enter(demo)
        page = browser.go(address)
        if name == "schedule":
            fill_in(page)
        shots = []
        for (width, height), scheme in product(SIZES.items(), SCHEMES):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.evaluate("(document.querySelector('.variants[open]') ?? document.body).scrollIntoView()")
            page.wait_for_load_state("networkidle")
            shots.append(page.screenshot())
            if (width, scheme) in SHOWN.get(name, ()):
                write(DOCS / f"{name}-{width}-{scheme}.png", shots[-1])
        write_sheet(ALL / f"{name}.png", shots)
        browser.context.close()


def pages_of(demo: Profile) -> Iterator[tuple[str, str]]:
    """Give somebody work to look at; yield the name and the address of each page."""
    talked_about = Post.objects.public().order_by("-comment_count", "pk")[:1].get()
    generated = Post.objects.filter(generated_by__isnull=False)[:1].get()
    plan(demo)
    agent, run = make_writer(demo)
    card = make_card(demo)
    greta = Profile.objects.get(handle="greta")
    conversation, _ = start_conversation(sender=greta, recipient=demo, body="Did your heron come back this morning?")
    yield from {
        "front": "/",
        "home": "/",
        "explore": "/explore",
        "search": "/search?q=bird",
        "post": f"/posts/{talked_about.pk}",
        "generated": f"/posts/{generated.pk}",
        "profile": "/@tidewatcher",
        "community": "/c/shore-and-field",
        "notifications": "/notifications",
        "messages": "/messages",
        "conversation": f"/messages/{conversation.pk}",
        "settings": "/settings",
        "log-in": "/log-in",
        "studio": "/studio/",
        "agent": f"/studio/@{agent.profile.handle}",
        "persona": f"/studio/@{agent.profile.handle}/persona",
        "cadence": f"/studio/@{agent.profile.handle}/cadence",
        "cadences": "/studio/cadences",
        "knowledge": f"/studio/@{agent.profile.handle}/knowledge",
        "run": f"/studio/runs/{run.pk}",
        "cards": "/studio/cards",
        "card": f"/cards/{card.pk}",
        "calendar": "/studio/calendar/",
        "week": "/studio/calendar/?view=week",
        "patterns": "/studio/patterns",
        "schedule": "/studio/calendar/new",
        "accounts": "/studio/calendar/accounts",
        "import": "/studio/calendar/import",
        "analytics": "/studio/analytics/",
    }.items()


def fill_in(page: Page) -> None:
    """Write what goes out, and other words for one network."""
    page.get_by_label("Text").fill("Herons stand on one leg for hours. Nobody knows why, but everybody has an idea.")
    for account in ("Bluesky", "Mastodon"):
        page.get_by_role("checkbox", name=account).check()
    page.get_by_text("Say it differently").click()
    page.get_by_label("Bluesky says").fill("One leg. For hours. Nobody knows why.")
    expect(page.locator("#preview")).to_contain_text("of 300")
    page.evaluate("document.activeElement.blur()")


def make_writer(owner: Profile) -> tuple[Agent, Run]:
    """Give somebody an agent that writes by itself, with an article that waits for them."""
    agent = create_agent(owner=owner, handle="reedwatch", display_name="Reedwatch", bio="Herons and hedges.")
    persona = {"system": "You watch herons and hedges, and write little.", "topics": ["herons", "hedges", "reeds"]}
    save_persona(agent=agent, persona=persona, note="A first voice")
    save_persona(agent=agent, persona={**persona, "adjectives": ["dry", "exact"]}, note="Drier")
    make_reading(agent, "Hedges")
    save_cadence(agent=agent, slots=[450, 1125], jitter_minutes=20, time_zone="Europe/Berlin")
    run = create_run(agent=agent, pipeline="article", topic="Why hedges are never quiet", requested_by=owner)
    create_run(agent=agent, topic="A morning without wind", requested_by=owner)
    carry(run)
    return agent, run


def make_card(owner: Profile) -> Card:
    index_pending()
    content = Content.objects.common().order_by("pk")[:1].get()
    passage = Passage.objects.filter(content=content).order_by("pk")[:1].get()
    quote = passage.text.split(". ")[0].strip() + "."
    note = "Worth a post of its own, once I have read the paper that this rests on."
    return create_card(profile=owner, title=content.title, note=note, quotes=[(passage.pk, quote)], is_published=True)


def plan(owner: Profile) -> None:
    """Give somebody a month of publications, behind them and to come."""
    accounts = [
        make_account(owner=owner, handle="@tidewatcher@birds.example"),
        make_account(owner=owner, network="bluesky", handle="tidewatcher.example"),
    ]
    titles = list(Post.objects.public().order_by("pk").values_list("title", flat=True)[:40])
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    for number in range(60):
        title, account = titles[number % len(titles)], accounts[number // 2 % 2]
        hours = timedelta(hours=number * 14 + number % 5)
        if number % 2:
            make_publication(account=account, text=title, scheduled_at=now + hours)
        else:
            figures = {
                "likes": number * 7 % 23,
                "comments": number % 4,
                "shares": number % 3,
                "views": number * 13 % 400,
            }
            publish(account, now - hours, text=title, **figures)
    waiting = Publication.objects.filter(status="scheduled").order_by("scheduled_at")
    Publication.objects.filter(pk=waiting[3].pk).update(status="pending_approval", due_at=None)
    Publication.objects.filter(pk=waiting[1].pk).update(status="unknown", error_class="lost")


def write(path: Path, png: bytes) -> None:
    """Write a picture with a palette, which a page of few colours does not miss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(COLOURS, kmeans=3).save(small, "PNG", optimize=True)
    assert len(small.getvalue()) <= MAX_BYTES, f"{path.name}: {len(small.getvalue())} bytes"
    path.write_bytes(small.getvalue())


def write_sheet(path: Path, shots: list[bytes]) -> None:
    """Put the pictures of one page beside each other: the light ones above, the dark ones below."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = [Image.open(BytesIO(png)).convert("RGB") for png in shots]
    sheet = Image.new("RGB", (sum(SIZES) + 20, 2 * max(SIZES.values()) + 10), "#888888")
    left = 0
    for light, dark in zip(pictures[::2], pictures[1::2], strict=True):
        sheet.paste(light, (left, 0))
        sheet.paste(dark, (left, max(SIZES.values()) + 10))
        left += light.width + 10
    sheet.save(path)
