"""What is erased of those who leave: each step takes a batch of rows and returns how many they were."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from agents.inbox.models import Conversation, Member, Message
from agents.knowledge.models import Attribution, Card, Content, Passage, ResearchSession, Revision, Source
from agents.models import Block, Follow, IdempotentRequest, Notification, Profile
from agents.services.counters import count_up
from feed.models import Export, ReadPosition, UpdateRead
from posts.generation.models import DailyBudget, Memory, Run, RunStep, Slot
from posts.generation.services.runs import RunStateError, cancel_run
from posts.models import Comment, Community, Like, Post, Share
from posts.publishing.models import (
    AccountEvent,
    AnalyticsSummary,
    ConnectAttempt,
    MetricSample,
    Occurrence,
    PostingSlot,
    Publication,
    PublicationEvent,
    RecurringPost,
    SocialAccount,
    WebhookDelivery,
    WebhookEndpoint,
)

BATCH = 500
POSTS = 100
EMPTY = Q(title="", body="", image="")
type Rows = QuerySet[Any, Any]
type Step = Callable[[list[int]], int]


def empty_posts(whose: list[int]) -> int:
    """Take posts off every timeline and empty them: the row stays while others' answers hang on it."""
    rows = Post.objects.filter(author__in=whose).only("image", "community", "timeline_key")
    # The index of these gets shorter with each batch; those that were removed before are few, and found one by one.
    posts = list(rows.filter(timeline_key__isnull=False).order_by("author", "-timeline_key")[:BATCH])
    posts = posts or list(rows.exclude(EMPTY)[:BATCH])
    for post in posts:
        # Before the row, which remembers the file: what is killed in between is done again.
        post.image.delete(save=False)
    rooms = Counter(post.community_id for post in posts if post.community_id and post.timeline_key)
    count_up(rows=Community.objects.all(), field="post_count", steps=negative(rooms))
    Post.objects.filter(pk__in=[post.pk for post in posts]).update(
        timeline_key=None, removed_at=Now(), title="", body="", image="", image_alt="", community=None, persona=None
    )
    return len(posts)


def take_back_likes(whose: list[int]) -> int:
    return _take_back(Like, "like_count", whose)


def take_back_shares(whose: list[int]) -> int:
    return _take_back(Share, "share_count", whose)


def _take_back(kind: type[Like | Share], counter: str, whose: list[int]) -> int:
    rows = list(kind.objects.filter(profile__in=whose).values_list("pk", "post")[:BATCH])
    kind.objects.filter(pk__in=[pk for pk, _ in rows]).delete()
    count_up(rows=Post.objects.all(), field=counter, steps=negative(Counter(post for _, post in rows)))
    return len(rows)


def empty_comments(whose: list[int]) -> int:
    """Empty comments as their removal does: the place stays for the replies."""
    rows = list(Comment.objects.filter(author__in=whose, removed_at=None).values_list("pk", "post")[:BATCH])
    Comment.objects.filter(pk__in=[pk for pk, _ in rows]).update(removed_at=Now(), body="")
    count_up(rows=Post.objects.all(), field="comment_count", steps=negative(Counter(post for _, post in rows)))
    return len(rows)


def end_follows(whose: list[int]) -> int:
    either = Q(follower__in=whose) | Q(author__in=whose)
    rows = list(Follow.objects.filter(either).values_list("pk", "follower", "author")[:BATCH])
    Follow.objects.filter(pk__in=[pk for pk, _, _ in rows]).delete()
    profiles = Profile.objects.filter(pk__in={pk for row in rows for pk in row[1:]})
    # Both counters under one set of locks, taken in the order of the ids.
    list(profiles.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    count_up(rows=profiles, field="following_count", steps=negative(Counter(follower for _, follower, _ in rows)))
    count_up(rows=profiles, field="follower_count", steps=negative(Counter(author for _, _, author in rows)))
    return len(rows)


def erase_messages(whose: list[int]) -> int:
    return delete(Message.objects.filter(sender__in=whose))


def tidy_conversations(whose: list[int]) -> int:
    """Leave nothing to read of what is gone, and no conversation in which nothing was said by others."""
    mine = Conversation.objects.filter(Q(first__in=whose) | Q(second__in=whose))
    unread = Member.objects.filter(conversation__in=mine, unread_count__gt=0).exclude(profile__in=whose)
    chosen = Member.objects.filter(pk__in=list(unread.values_list("pk", flat=True)[:BATCH])).update(unread_count=0)
    return chosen + delete(mine.exclude(Exists(Message.objects.filter(conversation=OuterRef("pk")))))


def cancel_runs(whose: list[int]) -> int:
    runs = list(Run.objects.filter(agent__in=whose, state__in=Run.OPEN)[:POSTS])
    for run in runs:
        with suppress(RunStateError):
            cancel_run(run=run)
    return len(runs)


def erase_publications(whose: list[int]) -> int:
    """Erase what was published or will not be; what is in flight at this moment waits for its outcome."""
    rows = list(settled(whose).only("image")[:BATCH])
    for row in rows:
        row.image.delete(save=False)
    Publication.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def erase_exports(whose: list[int]) -> int:
    exports = list(Export.objects.filter(owner__in=whose)[:BATCH])
    for export in exports:
        export.file.delete(save=False)
    Export.objects.filter(pk__in=[export.pk for export in exports]).delete()
    return len(exports)


# What is nobody else's, children before parents: so that a large parent is no large statement.
ROWS: tuple[Callable[[list[int]], Rows], ...] = (
    lambda whose: Notification.objects.filter(profile__in=whose),
    lambda whose: Notification.objects.filter(actor__in=whose),
    lambda whose: Block.objects.filter(blocker__in=whose),
    lambda whose: Block.objects.filter(blocked__in=whose),
    lambda whose: UpdateRead.objects.filter(reader__in=whose),
    lambda whose: ReadPosition.objects.filter(reader__in=whose),
    lambda whose: IdempotentRequest.objects.filter(profile__in=whose),
    lambda whose: ConnectAttempt.objects.filter(owner__in=whose),
    lambda whose: WebhookDelivery.objects.filter(endpoint__owner__in=whose),
    lambda whose: WebhookEndpoint.objects.filter(owner__in=whose),
    lambda whose: Occurrence.objects.filter(recurring_post__owner__in=whose),
    lambda whose: RecurringPost.objects.filter(owner__in=whose),
    lambda whose: MetricSample.objects.filter(publication__in=settled(whose)),
    lambda whose: PublicationEvent.objects.filter(publication__in=settled(whose)),
    lambda whose: AnalyticsSummary.objects.filter(owner__in=whose),
    lambda whose: AccountEvent.objects.filter(account__owner__in=whose),
    lambda whose: PostingSlot.objects.filter(account__owner__in=whose),
    lambda whose: RunStep.objects.filter(run__agent__in=whose),
    lambda whose: Memory.objects.filter(agent__in=whose),
    lambda whose: Slot.objects.filter(agent__in=whose),
    lambda whose: Run.objects.filter(agent__in=whose),
    lambda whose: DailyBudget.objects.filter(agent__in=whose),
    lambda whose: Attribution.objects.filter(profile__in=whose),
    lambda whose: Card.objects.filter(profile__in=whose),
    lambda whose: ResearchSession.objects.filter(profile__in=whose),
    lambda whose: Passage.objects.filter(agent__in=whose),
    lambda whose: Revision.objects.filter(content__agent__in=whose),
    lambda whose: Source.objects.filter(profile__in=whose),
    lambda whose: Content.objects.filter(agent__in=whose),
)


def settled(whose: list[int]) -> Rows:
    return Publication.objects.settled().filter(owner__in=whose)


def erase_rows(find: Callable[[list[int]], Rows], whose: list[int]) -> int:
    return delete(find(whose))


def erase_accounts(whose: list[int]) -> int:
    """Erase the accounts through which nothing is on its way, and with each the last of its tokens."""
    is_idle = ~Exists(Publication.objects.filter(account=OuterRef("pk")))
    return delete(SocialAccount.objects.filter(is_idle, owner__in=whose))


def erase_posts(whose: list[int]) -> int:
    """Erase the empty posts under which nobody else wrote, with the likes and shares of others."""
    others = Comment.objects.filter(post=OuterRef("pk"), removed_at=None).exclude(author__in=whose)
    posts = Post.objects.filter(EMPTY, ~Exists(others), timeline_key=None, author__in=whose)
    keys = list(posts.order_by("author", "-pk").values_list("pk", flat=True)[:POSTS])
    for kind in (Like, Share, UpdateRead, Comment):
        if number := delete(kind.objects.filter(post__in=keys)):
            return number
    Post.objects.filter(pk__in=keys).delete()
    return len(keys)


def delete(rows: Rows) -> int:
    """Delete some of these rows; return how many."""
    keys = list(rows.order_by().values_list("pk", flat=True)[:BATCH])
    if keys:
        rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)


def negative(counts: Counter[Any]) -> dict[int, int]:
    return {key: -number for key, number in counts.items()}


# Without `erase_posts`, the last: whoever likes or answers one in the moment in which its author leaves finds its row.
STEPS: tuple[Step, ...] = (
    empty_posts,
    empty_comments,
    take_back_likes,
    take_back_shares,
    end_follows,
    erase_messages,
    tidy_conversations,
    cancel_runs,
    erase_exports,
    *(partial(erase_rows, find) for find in ROWS),
    erase_publications,
    erase_accounts,
)
