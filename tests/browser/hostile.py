"""A person of whom every page shows texts that somebody with bad intentions wrote."""

import pytest

from agents.inbox.models import Member
from agents.inbox.services.conversations import accept, send_message, start_conversation
from agents.knowledge import poking
from agents.knowledge.indexing import index
from agents.knowledge.models import Passage, Pattern, Source
from agents.knowledge.services.cards import create_card
from agents.knowledge.services.contents import save_content
from agents.knowledge.services.sources import request_source
from agents.models import Agent, Profile
from agents.services.agents import save_persona
from agents.services.follows import follow
from agents.services.keys import create_key
from agents.services.people import update_profile
from posts.generation.models import Run
from posts.generation.services.cadences import save_cadence
from posts.generation.services.runs import create_run
from posts.models import Post
from posts.publishing.models import Publication
from posts.publishing.services.policies import change_account
from posts.publishing.states import Status
from posts.services.interactions import add_comment
from tests.factories import make_agent, make_comment, make_community, make_person, make_post
from tests.feed.pages.studio.calendar.conftest import may
from tests.posts.publishing.test_report import publish
from tests.publishing import make_account, make_publication

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
LONG = "Averylongwordwithoutanyspace" * 1_400
STRANGERS = ["/", "/explore", "/log-in", "/sign-up", "/left", "/cards"]


def fill(person: Profile, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Write the texts; return the addresses of the pages that show them, by room."""
    monkeypatch.setattr(poking, "_send", lambda task, args: None)
    post = write_posts(person)
    mine = make_agent(owner=person, handle="mine", display_name=SCRIPT[:80])
    return {
        "reader": pages_of_the_reader(post),
        "inbox": fill_inbox(person, post),
        "studio": fill_studio(mine),
        "knowledge": fill_knowledge(person, mine),
        "publishing": fill_publishing(person, mine),
    }


def write_posts(person: Profile) -> Post:
    owner = make_person("owner")
    update_profile(profile=owner, display_name=f'"><{SCRIPT}'[:80], bio=SCRIPT)
    persona = {"bio": [SCRIPT], "topics": ['"><b onclick=alert(1)>'], "adjectives": [SCRIPT[:100]]}
    agent = make_agent(owner=owner, handle="bad_bird", display_name=SCRIPT[:80], bio=MARKDOWN, persona=persona)
    room = make_community("room")
    type(room).objects.filter(pk=room.pk).update(title=SCRIPT, description=MARKDOWN)
    follow(follower=person, author=agent.profile)
    for text in (LONG, RIGHT_TO_LEFT, MARKDOWN):
        post = make_post(author=agent.profile, community=room, title=text[:300], body=text, image_alt=SCRIPT)
    Post.objects.filter(pk=post.pk).update(image="posts/none.png")
    comment = make_comment(post=post, author=agent.profile, body=MARKDOWN)
    make_comment(post=post, author=agent.profile, body=RIGHT_TO_LEFT, parent=comment)
    create_key(profile=person, name=SCRIPT[:80], scopes=["read"])
    return post


def pages_of_the_reader(post: Post) -> list[str]:
    paths = ["/", "/explore", "/search?q=%3Cscript%3Ealert(1)%3C/script%3E", "/search?q=bad_bird", "/@bad_bird"]
    paths += ["/@owner", "/c/room", f"/posts/{post.pk}", "/settings", "/settings/leave"]
    return [*paths, "/nowhere", "/?cursor=%22%3E%3Cscript%3E"]


def fill_inbox(person: Profile, post: Post) -> list[str]:
    make_post(author=post.author, kind="update", title=SCRIPT[:300], body=MARKDOWN)
    for number, text in enumerate((SCRIPT, LONG[:300], RIGHT_TO_LEFT)):
        sender = make_person(f"sender{number}")
        update_profile(profile=sender, display_name=text[:80])
        add_comment(post=make_post(author=person, title=text), author=sender, body=text)
        conversation, _ = start_conversation(sender=sender, recipient=person, body=text * 3)
        if number:
            accept(member=Member.objects.get(conversation=conversation, profile=person))
            send_message(conversation=conversation, sender=person, body=text)
    requested = Member.objects.filter(profile=person, accepted_at=None).values_list("conversation_id", flat=True)
    paths = ["notifications", "updates", "messages", "messages/new", f"messages/{conversation.pk}"]
    return [f"/{path}" for path in [*paths, f"messages/{requested.get()}"]]


def fill_studio(mine: Agent) -> list[str]:
    save_persona(agent=mine, persona={"system": SCRIPT, "lore": [LONG[:2000]], "topics": [SCRIPT]}, note=SCRIPT[:200])
    run = create_run(agent=mine, pipeline="article", topic=SCRIPT)
    run.steps.filter(name="review").update(state="review", output={"title": SCRIPT, "body": MARKDOWN})
    Run.objects.filter(pk=run.pk).update(state="review", error=SCRIPT)
    save_cadence(agent=mine, slots=[540], jitter_minutes=30)
    paths = ["", "new", "@mine", "@mine/persona", "@mine/persona/2", "cadences", "@mine/cadence", f"runs/{run.pk}"]
    return [f"/studio/{path}" for path in paths]


def fill_knowledge(person: Profile, mine: Agent) -> list[str]:
    source = request_source(profile=person, agent=mine, kind="text", text=MARKDOWN, title=SCRIPT)
    Source.objects.filter(pk=source.pk).update(status="failed", problem=SCRIPT)
    own, _ = save_content(platform="text", title=SCRIPT, text=MARKDOWN, agent=mine)
    common, _ = save_content(platform="text", title=SCRIPT, text=f"Before {MARKDOWN}", url="https://example.org/")
    index([own, common])
    passage = Passage.objects.filter(content=common).order_by("pk")[0]
    card = create_card(
        profile=person,
        title=SCRIPT,
        note=MARKDOWN,
        quotes=[(passage.pk, passage.text.strip()[:300])],
        is_published=True,
    )
    seen = common.scraped_at
    theme = Pattern.objects.create(
        label=SCRIPT, keywords=[SCRIPT[:60]], confidence_score=0.4, content_count=1, first_seen_at=seen,
        last_seen_at=seen,
    )  # fmt: skip
    theme.contents.add(common)
    link = card.citations.get().link
    assert link
    knowledge = "/studio/@mine/knowledge"
    paths = [
        knowledge,
        f"{knowledge}/texts",
        f"{knowledge}/texts/{own.pk}",
        "/studio/cards",
        f"/studio/cards/{card.pk}",
    ]
    return [*paths, "/cards", f"/cards/{card.pk}", link, "/studio/patterns", f"/studio/patterns/{theme.pk}"]


def fill_publishing(person: Profile, mine: Agent) -> list[str]:
    account = make_account(owner=person, handle=SCRIPT, network="facebook", limits={})
    make_account(owner=person, network="x", handle=LONG[:200])
    change_account(account=account, slots=["mon 09:00"])
    rows = [make_publication(account=account, text=text, scheduled_at=may(12)) for text in (RIGHT_TO_LEFT, MARKDOWN)]
    rows += [make_publication(account=account, text=LONG[:5000], scheduled_at=may(13)) for _ in range(6)]
    rows[2].author = mine.profile
    rows[2].save(update_fields=["author"])
    states = (
        {"status": Status.FAILED},
        {"status": Status.UNKNOWN, "due_at": None},
        {"status": Status.PENDING_APPROVAL},
    )
    for row, state in zip(rows[3:], states, strict=False):
        Publication.objects.filter(pk=row.pk).update(error_class="refused", error_detail=SCRIPT, **state)
    year_ago = may(12).replace(year=may(12).year - 1)
    publish(account, year_ago, likes=5, text=SCRIPT)
    done = publish(account, year_ago, likes=5, text=LONG[:300])
    Publication.objects.filter(pk=done.pk).update(remote_url="javascript:alert(1)")
    calendar = f"/studio/calendar/?day={may(12).date()}"
    paths = [calendar, f"{calendar}&view=week", f"{calendar}&view=day", "/studio/calendar/new"]
    paths += [f"/studio/calendar/{row.pk}" for row in (*rows[1:5:2], done)]
    figures = f"/studio/analytics/?start={year_ago.date()}&end={year_ago.date()}"
    return [*paths, "/studio/calendar/import", "/studio/calendar/accounts", figures]
