from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from agents.admin import KeptAdmin
from agents.knowledge.models import Author, Card, Content, ResearchSession, Source


class ReadAdmin[M: Content | Source | Card | ResearchSession](KeptAdmin[M]):
    """Rows that a moderator reads."""

    ordering = ["-id"]
    list_per_page = 50
    related: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        return super().get_queryset(request).select_related(*self.related)


@admin.register(Author)
class AuthorAdmin(KeptAdmin[Author]):
    list_display = ["username", "platform", "display_name"]
    list_filter = ["platform"]
    search_fields = ["username"]
    readonly_fields = ("platform", "username", "display_name")
    fields = readonly_fields


@admin.register(Content)
class ContentAdmin(ReadAdmin[Content]):
    list_display = ["title", "platform", "agent", "author", "language", "scraped_at", "analyzed_at"]
    list_filter = ["platform", "language"]
    search_fields = ["title", "agent__profile__handle", "author__username"]
    search_help_text = "Title, handle of the agent that knows it, name of its author"
    readonly_fields = (
        "title",
        "text",
        "platform",
        "url",
        "agent",
        "author",
        "language",
        "near_duplicate_of",
        "published_at",
        "scraped_at",
        "analyzed_at",
    )
    fields = readonly_fields
    related = ("agent__profile", "author", "near_duplicate_of")


@admin.register(Source)
class SourceAdmin(ReadAdmin[Source]):
    list_display = ["title", "url", "kind", "profile", "agent", "status", "due_at", "read_at", "content_count"]
    list_filter = ["status", "kind"]
    search_fields = ["url", "profile__handle"]
    search_help_text = "Address, handle of who asked for it"
    readonly_fields = (
        "profile",
        "agent",
        "kind",
        "url",
        "title",
        "text",
        "interval_seconds",
        "status",
        "problem",
        "due_at",
        "read_at",
        "content_count",
        "last_content",
        "created_at",
    )
    fields = readonly_fields
    related = ("profile", "agent__profile", "last_content")
    actions = ["read_again", "stop"]

    @admin.action(description="Read again, as soon as a worker is free", permissions=["change"])
    def read_again(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        count = queryset.update(due_at=timezone.now(), failure_count=0, status=Source.Status.PENDING)
        self.message_user(request, f"{count} will be read.", messages.SUCCESS)

    @admin.action(description="Stop reading", permissions=["change"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        count = queryset.update(due_at=None, interval_seconds=None)
        self.message_user(request, f"{count} will not be read any more.", messages.SUCCESS)


@admin.register(Card)
class CardAdmin(ReadAdmin[Card]):
    list_display = ["title", "profile", "created_at", "published_at"]
    list_filter = [("published_at", admin.EmptyFieldListFilter)]
    search_fields = ["title", "profile__handle"]
    readonly_fields = ("profile", "title", "note", "created_at", "published_at")
    fields = readonly_fields
    related = ("profile",)
    actions = ["withdraw"]

    @admin.action(description="Withdraw: only its owner sees it", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Card]) -> None:
        self.message_user(request, f"{queryset.update(published_at=None)} withdrawn.", messages.SUCCESS)


@admin.register(ResearchSession)
class ResearchSessionAdmin(ReadAdmin[ResearchSession]):
    list_display = ["__str__", "profile", "agent", "status", "created_at", "finished_at"]
    list_filter = ["status"]
    search_fields = ["profile__handle"]
    readonly_fields = ("profile", "agent", "question", "filters", "answer", "status", "created_at", "finished_at")
    fields = readonly_fields
    related = ("profile", "agent__profile")
