"""What holds for every page: accessible, no wider than the screen, light, and executing nothing of a stranger's."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, Response, expect

from agents.inbox.models import Member
from agents.inbox.services.conversations import accept, send_message, start_conversation
from agents.models import Agent, Profile
from agents.services.agents import save_persona
from agents.services.follows import follow
from agents.services.keys import create_key
from agents.services.people import update_profile
from posts.generation.models import Run
from posts.generation.services.runs import create_run
from posts.models import Post
from posts.services.interactions import add_comment
from tests.browser.conftest import Visit
from tests.factories import make_agent, make_comment, make_community, make_person, make_post

type MakeVisit = Callable[..., Visit]

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)><svg/onload=alert(3)>"
MARKDOWN = f"""{SCRIPT}
# Heading {SCRIPT}
[link](javascript:alert(4)) ![pic](x" onerror="alert(5)) <javascript:alert(6)> [a](data:text/html,<script>alert(7)</script>)
[ref][1] <a href="javascript:alert(8)">x</a> `{SCRIPT}`

| a | {SCRIPT} |
|---|---|
| b | " onmouseover="alert(9)" |

[1]: vbscript:alert(10)
"""  # noqa: E501
RIGHT_TO_LEFT = "\u202eمرحبا بالعالم \u0301\u0301\u0301\u0301 שלום"
SCREENS = (320, 768, 1440)
# The dark scheme is other values of the same colours: it can only fail where colours meet.
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
SCHEMES: dict[str, dict[str, Any]] = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": COLOURS},
}
LONG = "Averylongwordwithoutanyspace" * 1_400


@pytest.fixture
def reader(transactional_db: None) -> Profile:
    return make_person("rita")


@pytest.fixture
def hostile_post(reader: Profile) -> Post:
    """Every text that a page shows, written by somebody with bad intentions."""
    owner = make_person("owner")
    update_profile(profile=owner, display_name=f'"><{SCRIPT}'[:80], bio=SCRIPT)
    persona = {"bio": [SCRIPT], "topics": ['"><b onclick=alert(1)>'], "adjectives": [SCRIPT[:100]]}
    agent = make_agent(owner=owner, handle="bad_bird", display_name=SCRIPT[:80], bio=MARKDOWN, persona=persona)
    room = make_community("room")
    type(room).objects.filter(pk=room.pk).update(title=SCRIPT, description=MARKDOWN)
    follow(follower=reader, author=agent.profile)
    for text in (LONG, RIGHT_TO_LEFT, MARKDOWN):
        post = make_post(author=agent.profile, community=room, title=text[:300], body=text, image_alt=SCRIPT)
    Post.objects.filter(pk=post.pk).update(image="posts/none.png")
    comment = make_comment(post=post, author=agent.profile, body=MARKDOWN)
    make_comment(post=post, author=agent.profile, body=RIGHT_TO_LEFT, parent=comment)
    create_key(profile=reader, name=SCRIPT[:80], scopes=["read"])
    return post


@pytest.fixture
def studio(reader: Profile) -> list[str]:
    """The pages of the studio, with the same texts in them."""
    mine = make_agent(owner=reader, handle="mine", display_name=SCRIPT[:80])
    save_persona(agent=mine, persona={"system": SCRIPT, "lore": [LONG[:2000]], "topics": [SCRIPT]}, note=SCRIPT[:200])
    run = create_run(agent=mine, pipeline="article", topic=SCRIPT)
    run.steps.filter(name="review").update(state="review", output={"title": SCRIPT, "body": MARKDOWN})
    Run.objects.filter(pk=run.pk).update(state="review", error=SCRIPT)
    paths = ["", "new", "@mine", "@mine/persona", "@mine/persona/2", f"runs/{run.pk}"]
    return [f"/studio/{path}" for path in paths]


@pytest.fixture
def inbox(reader: Profile, hostile_post: Post) -> list[str]:
    """What reaches a reader, with the same texts in it."""
    follow(follower=reader, author=hostile_post.author)
    make_post(author=hostile_post.author, kind="update", title=SCRIPT[:300], body=MARKDOWN)
    for number, text in enumerate((SCRIPT, LONG[:300], RIGHT_TO_LEFT)):
        sender = make_person(f"sender{number}")
        update_profile(profile=sender, display_name=text[:80])
        add_comment(post=make_post(author=reader, title=text), author=sender, body=text)
        conversation, _ = start_conversation(sender=sender, recipient=reader, body=text * 3)
        if number:
            accept(member=Member.objects.get(conversation=conversation, profile=reader))
            send_message(conversation=conversation, sender=reader, body=text)
    requested = Member.objects.filter(profile=reader, accepted_at=None).values_list("conversation_id", flat=True)
    paths = ["notifications", "updates", "messages", "messages/new", f"messages/{conversation.pk}"]
    return [f"/{path}" for path in [*paths, f"messages/{requested.get()}"]]


def addresses(post: Post) -> list[str]:
    paths = ["/", "/explore", "/search?q=%3Cscript%3Ealert(1)%3C/script%3E", "/search?q=bad_bird", "/@bad_bird"]
    return [*paths, "/@owner", "/c/room", f"/posts/{post.pk}", "/settings", "/nowhere", "/?cursor=%22%3E%3Cscript%3E"]


def test_nothing_that_somebody_wrote_is_executed(
    reader: Profile, hostile_post: Post, studio: list[str], inbox: list[str], visit: MakeVisit
) -> None:
    browser = visit()
    page = browser.log_in(reader)
    for path in [*addresses(hostile_post), *studio, *inbox]:
        # The load of a page ends after that of its pictures: what they could do has been done.
        browser.go(path)
        for link in page.locator("main a[href]").evaluate_all("links => links.map(link => link.href)"):
            assert link.startswith(("http://", "https://", "mailto:")), (path, link)
        written = page.locator("main script, main [onerror], main [onload], main [onclick], main [style], main svg")
        assert written.count() == 0, path
    page.wait_for_load_state("networkidle")
    assert browser.dialogs == []
    assert [text for text in browser.complaints if "404" not in text and "400" not in text] == []


@pytest.mark.parametrize("room", ["reading", "studio", "inbox"])
def test_pages_are_accessible_and_no_wider_than_the_screen(
    room: str, request: pytest.FixtureRequest, reader: Profile, hostile_post: Post, wren: Agent, visit: MakeVisit
) -> None:
    make_comment(post=make_post(author=wren.profile, title="A quiet one", layer=Post.Layer.PUBLIC))
    paths = addresses(hostile_post) if room == "reading" else request.getfixturevalue(room)
    browser = visit(reduced_motion="reduce")
    findings = []
    for path in ["/", "/log-in", "/sign-up"] if room == "reading" else []:
        findings += check(browser, path)
    browser.log_in(reader)
    for path in paths:
        findings += check(browser, path)
    assert findings == []


def check(browser: Visit, path: str) -> list[str]:
    return on_every_screen(browser.go(path), path)


def on_every_screen(page: Page, where: str) -> list[str]:
    """Return what is wrong with a page as it is now, on narrow and wide screens, in light and in dark."""
    page.evaluate(AXE_SCRIPT)
    # What looks for news by itself fades for as long as it asks.
    page.evaluate("document.body.addEventListener('htmx:beforeRequest', event => event.preventDefault())")
    expect(page.locator(".htmx-request")).to_have_count(0)
    found = []
    for width in SCREENS:
        page.set_viewport_size({"width": width, "height": 800})
        for scheme, options in SCHEMES.items():
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found += violations(page, f"{where}, {width}, {scheme}", options)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{where}: wider than {width}")
    return found


def violations(page: Page, where: str, options: dict[str, Any]) -> list[str]:
    """Return the serious findings of axe-core."""
    return [
        f"{where}: {violation['id']} ({violation['impact']}) {node['target']}"
        for violation in page.evaluate("options => axe.run(options)", options)["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"][:3]
    ]


def test_a_full_page_weighs_at_most_100_kilobytes(reader: Profile, wren: Agent, visit: MakeVisit) -> None:
    follow(follower=reader, author=wren.profile)
    for _ in range(25):
        make_post(author=wren.profile, title="A title of usual length, more or less", body="Some words on it. " * 40)
    browser = visit()
    browser.log_in(reader)
    answers: list[Response] = []
    browser.page.on("response", lambda answer: answers.append(answer))
    browser.go("/").wait_for_load_state("networkidle")
    parts = ("document", "stylesheet", "script")
    sizes = {answer.url: len(answer.body()) for answer in answers if answer.request.resource_type in parts}
    assert len(sizes) == 4, "The page, a style sheet, htmx and the reader's own script."
    assert sum(sizes.values()) <= 100_000, sizes
