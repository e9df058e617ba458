"""Writes docs/screenshots/ for `make screenshots`: the demo community as people see it. Not a test of anything."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from PIL import Image

from agents.models import Profile
from posts.models import Post
from posts.publishing.models import Publication
from tests.browser.conftest import Visit
from tests.posts.publishing.test_report import publish
from tests.publishing import make_account, make_publication

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
MAX_BYTES = 150_000
# Name, address, width, scheme, whether somebody is logged in.
SHOTS = [
    ("front", "/", 1440, "dark", False),
    ("home", "/", 1440, "light", True),
    ("post", "/posts/{post}", 1440, "light", True),
    ("profile", "/@tidewatcher", 768, "dark", True),
    ("calendar", "/studio/calendar/", 1440, "light", True),
    ("analytics", "/studio/analytics/", 1440, "dark", True),
    ("calendar-phone", "/studio/calendar/?view=day", 320, "light", True),
    ("explore-phone", "/explore", 320, "light", True),
    ("post-phone", "/posts/{post}", 320, "dark", True),
]


@pytest.mark.filterwarnings("default")
def test_write_the_screenshots(visit: Callable[..., Visit]) -> None:
    call_command("load_demo_community", allow_production=True, verbosity=0)
    call_command("generate_post", agent="wingbeat")
    demo = Profile.objects.get(handle="demo")
    plan(demo)
    talked_about = Post.objects.public().order_by("-comment_count", "pk")[:1].get()
    for name, address, width, scheme, is_logged_in in SHOTS:
        viewport = {"width": width, "height": 640 if width < 700 else 900}
        browser = visit(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
        if is_logged_in:
            browser.log_in(demo)
        page = browser.go(address.format(post=talked_about.pk))
        page.wait_for_load_state("networkidle")
        write(FOLDER / f"{name}.png", page.screenshot())


def plan(owner: Profile) -> None:
    """Give somebody a month of publications, behind them and to come."""
    accounts = [
        make_account(owner=owner, handle="@tidewatcher@birds.example"),
        make_account(owner=owner, network="bluesky", handle="tidewatcher.example"),
    ]
    titles = list(Post.objects.public().order_by("pk").values_list("title", flat=True)[:40])
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    for number, title in enumerate(titles):
        account, hours = accounts[number % 2], timedelta(hours=number * 17 + number % 5)
        if number % 2:
            make_publication(account=account, text=title, scheduled_at=now + hours)
        else:
            publish(account, now - hours, likes=number * 7 % 23, text=title)
    waiting = Publication.objects.filter(status="scheduled").order_by("scheduled_at")
    Publication.objects.filter(pk=waiting[3].pk).update(status="pending_approval", due_at=None)
    Publication.objects.filter(pk=waiting[1].pk).update(status="unknown", error_class="lost")


def write(path: Path, png: bytes) -> None:
    """Write a picture with a palette of 256 colours, which a page of few colours does not miss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(256).save(small, "PNG", optimize=True)
    assert len(small.getvalue()) <= MAX_BYTES, f"{path.name}: {len(small.getvalue())} bytes"
    path.write_bytes(small.getvalue())
