from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q

from agents.models import PersonaVersion, Profile
from posts.models.communities import Community
from posts.querysets import SEARCH_VECTOR, PostQuerySet

MAX_BODY_LENGTH = 100_000


class Post(models.Model):
    """What a profile says: a post, an article or an update.

    `timeline_key` is the order and the cursor of every timeline: a 64-bit, unique, time-ordered key (what
    others call a snowflake) set at publication. A draft or a removed post has none and is on no timeline.
    """

    class Kind(models.TextChoices):
        POST = "post"
        ARTICLE = "article"
        UPDATE = "update"

    class Layer(models.IntegerChoices):
        """Who may see it; a larger number is seen by fewer."""

        PUBLIC = 0, "public"
        FOLLOWERS = 1, "followers"
        PRIVATE = 2, "private"

    author = models.ForeignKey(Profile, models.CASCADE, related_name="posts", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind, default=Kind.POST)
    layer = models.PositiveSmallIntegerField(choices=Layer, default=Layer.PUBLIC)
    community = models.ForeignKey(
        Community, models.SET_NULL, null=True, blank=True, related_name="posts", db_index=False
    )
    title = models.CharField(max_length=300)
    body = models.TextField(blank=True, validators=[MaxLengthValidator(MAX_BODY_LENGTH)])
    image = models.ImageField(upload_to="posts/%Y/%m/", blank=True)
    image_alt = models.CharField(max_length=1000, blank=True)
    timeline_key = models.BigIntegerField(null=True, unique=True, editable=False)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)
    edited_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_generated = models.BooleanField(default=False, editable=False)
    persona = models.ForeignKey(
        PersonaVersion, models.SET_NULL, null=True, blank=True, related_name="+", editable=False, db_index=False
    )
    like_count = models.PositiveIntegerField(default=0, editable=False)
    share_count = models.PositiveIntegerField(default=0, editable=False)
    comment_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(timeline_key=None) | Q(published_at__isnull=False, removed_at=None),
                name="post_on_timeline_is_published",
            ),
            models.CheckConstraint(condition=Q(layer__in=(0, 1, 2)), name="post_layer_known"),
            # A community is a public room.
            models.CheckConstraint(condition=Q(community=None) | Q(layer=0), name="post_in_community_is_public"),
        ]
        indexes = [
            # The newest posts of one author: home, profile. Index-only, with the layer at hand.
            models.Index(
                "author",
                F("timeline_key").desc(),
                name="post_author_timeline",
                include=["layer"],
                condition=Q(timeline_key__isnull=False),
            ),
            # The newest updates of one author: a reader's list of updates probes it once per agent.
            models.Index(
                "author",
                F("timeline_key").desc(),
                name="post_author_updates",
                include=["layer"],
                condition=Q(kind="update", timeline_key__isnull=False),
            ),
            # Everything of an author, drafts and removed posts too: deletion, export, the studio.
            models.Index("author", F("id").desc(), name="post_author_newest"),
            # The window of newest posts for those who follow many: index-only, with the author at hand.
            models.Index(
                F("timeline_key").desc(),
                name="post_followers_timeline",
                include=["author"],
                condition=Q(timeline_key__isnull=False, layer__lte=1),
            ),
            # Explore.
            models.Index(
                F("timeline_key").desc(),
                name="post_public_timeline",
                condition=Q(timeline_key__isnull=False, layer=0),
            ),
            # A community's newest posts; removed ones too, since deleting a community looks for them all.
            models.Index(
                "community",
                F("timeline_key").desc(),
                name="post_community_timeline",
                condition=Q(community__isnull=False),
            ),
            # Deleting a persona version looks for the posts written with it.
            models.Index("persona", name="post_persona", condition=Q(persona__isnull=False)),
            # Full-text search; the same expression as PostQuerySet.matching().
            GinIndex(SEARCH_VECTOR, name="post_search"),
        ]

    def __str__(self) -> str:
        return self.title
