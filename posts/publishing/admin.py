from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from agents.admin import KeptAdmin
from posts.publishing.models import Publication, PublicationEvent, RecurringPost, SocialAccount, WebhookEndpoint
from posts.publishing.services import publications, recurring
from posts.publishing.services.transitions import Overtaken


@admin.register(SocialAccount)
class SocialAccountAdmin(KeptAdmin[SocialAccount]):
    """Accounts without their tokens."""

    list_display = ["handle", "network", "owner", "state", "token_expires_at", "created_at"]
    list_filter = ["network", "state"]
    list_select_related = ["owner"]
    ordering = ["-id"]
    list_per_page = 50
    search_fields = ["handle", "owner__handle"]
    readonly_fields = (
        "owner",
        "network",
        "platform_user_id",
        "handle",
        "base_url",
        "scopes",
        "state",
        "token_expires_at",
        "time_zone",
        "created_at",
    )
    fields = readonly_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[SocialAccount]:
        return super().get_queryset(request).select_related("owner").defer("access_token", "refresh_token")


class EventInline(admin.TabularInline[PublicationEvent, Publication]):
    """What happened to a publication: bounded by its attempts."""

    model = PublicationEvent
    readonly_fields = ("created_at", "from_status", "to_status", "reason")
    fields = readonly_fields
    max_num = extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Publication)
class PublicationAdmin(KeptAdmin[Publication]):
    list_display = ["id", "network", "account", "author", "status", "scheduled_at", "published_at", "error_class"]
    list_filter = ["status", "network"]
    ordering = ["-id"]
    list_per_page = 50
    search_fields = ["owner__handle", "author__handle"]
    search_help_text = "Handle of the account's owner or of the author"
    readonly_fields = (
        "owner",
        "author",
        "account",
        "network",
        "post",
        "previous",
        "text",
        "image",
        "image_alt",
        "status",
        "scheduled_at",
        "due_at",
        "attempt",
        "remote_id",
        "remote_url",
        "published_at",
        "error_class",
        "error_detail",
        "created_at",
    )
    fields = readonly_fields
    inlines = [EventInline]
    actions = ["cancel", "retry"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Publication]:
        rows = super().get_queryset(request)
        return rows.select_related("owner", "author", "account", "post", "previous")

    @admin.action(description="Cancel", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Publication]) -> None:
        self._change(request, queryset, publications.cancel)

    @admin.action(description="Try again", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Publication]) -> None:
        self._change(request, queryset, publications.retry)

    def _change(self, request: HttpRequest, queryset: QuerySet[Publication], change: Any) -> None:
        for publication in queryset:
            try:
                change(publication=publication, actor=getattr(request.user, "profile", None))
            except Overtaken as error:
                self.message_user(request, f"{publication}: {error}", messages.WARNING)
            else:
                self.message_user(request, f"{publication}: done.", messages.SUCCESS)


@admin.register(RecurringPost)
class RecurringPostAdmin(KeptAdmin[RecurringPost]):
    list_display = [
        "id",
        "account",
        "author",
        "every_days",
        "local_time",
        "time_zone",
        "is_active",
        "next_at",
        "problem",
    ]
    list_filter = ["is_active"]
    list_select_related = ["account", "author"]
    ordering = ["-id"]
    list_per_page = 50
    search_fields = ["owner__handle", "author__handle"]
    readonly_fields = (
        "owner",
        "author",
        "account",
        "post",
        "texts",
        "starts_on",
        "ends_on",
        "every_days",
        "local_time",
        "time_zone",
        "is_active",
        "next_number",
        "next_at",
        "problem",
        "created_at",
    )
    fields = readonly_fields
    actions = ["pause", "resume"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecurringPost]:
        return super().get_queryset(request).select_related("owner", "author", "account", "post")

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[RecurringPost]) -> None:
        for row in queryset:
            recurring.pause(row=row)
        self.message_user(request, "Paused.", messages.SUCCESS)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[RecurringPost]) -> None:
        for row in queryset:
            recurring.resume(row=row)
        self.message_user(request, "Resumed.", messages.SUCCESS)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(KeptAdmin[WebhookEndpoint]):
    """Addresses without the secrets that sign what is sent to them."""

    list_display = ["url", "owner", "kinds", "created_at"]
    list_select_related = ["owner"]
    ordering = ["-id"]
    list_per_page = 50
    search_fields = ["url", "owner__handle"]
    readonly_fields = ("url", "owner", "kinds", "created_at")
    fields = readonly_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        return super().get_queryset(request).select_related("owner").defer("secret")
