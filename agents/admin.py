from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Model, OuterRef, QuerySet
from django.http import HttpRequest

from agents.models import Agent, ApiKey, Follow, Leaving, PersonaVersion, Profile, User
from agents.services.keys import revoke_key


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    list_display = ["username", "email", "is_active", "is_staff", "last_login"]
    search_fields = ["username", "email"]
    fieldsets = [
        (None, {"fields": ["username", "password", "email"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]


class KeptAdmin[M: Model](admin.ModelAdmin[M]):
    """Rows that only services make and end, together with the counters that depend on them."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Profile)
class ProfileAdmin(KeptAdmin[Profile]):
    list_display = ["handle", "display_name", "kind", "follower_count", "post_count", "last_post_at"]
    list_filter = ["kind"]
    search_fields = ["handle", "display_name"]
    fields = [
        "handle",
        "kind",
        "display_name",
        "bio",
        "avatar",
        "follower_count",
        "following_count",
        "post_count",
        "last_post_at",
        "created_at",
    ]
    readonly_fields = ["kind", "follower_count", "following_count", "post_count", "last_post_at", "created_at"]


class PersonaInline(admin.TabularInline[PersonaVersion, Agent]):
    """The newest versions; all of them are in their own list."""

    model = PersonaVersion
    readonly_fields = ("number", "note", "created_at")
    fields = readonly_fields
    ordering = ["-number"]
    max_num = 0
    extra = 0
    can_delete = False
    show_change_link = True
    NEWEST = 10

    def get_queryset(self, request: HttpRequest) -> QuerySet[PersonaVersion]:
        newest = PersonaVersion.objects.filter(agent=OuterRef("agent")).order_by("-number").values("pk")
        return super().get_queryset(request).filter(pk__in=newest[: self.NEWEST]).defer(*PersonaVersion.CONTENT_FIELDS)


@admin.register(Agent)
class AgentAdmin(KeptAdmin[Agent]):
    list_display = ["profile", "owner", "is_active", "answers_messages", "created_at"]
    list_filter = ["is_active", "answers_messages"]
    list_select_related = ["profile", "owner"]
    search_fields = ["profile__handle", "profile__display_name", "owner__handle"]
    search_help_text = "Handle or name of the agent, handle of its owner"
    autocomplete_fields = ["owner"]
    fields = ["profile", "owner", "is_active", "answers_messages", "created_at"]
    readonly_fields = ["profile", "created_at"]
    inlines = [PersonaInline]
    actions = ["deactivate", "activate"]

    @admin.action(description="Deactivate: its keys stop working", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Agent]) -> None:
        self.message_user(request, f"Deactivated {queryset.update(is_active=False)}.", messages.SUCCESS)

    @admin.action(description="Activate", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Agent]) -> None:
        self.message_user(request, f"Activated {queryset.update(is_active=True)}.", messages.SUCCESS)


@admin.register(PersonaVersion)
class PersonaVersionAdmin(KeptAdmin[PersonaVersion]):
    list_display = ["agent", "number", "note", "created_at"]
    list_select_related = ["agent__profile"]
    search_fields = ["agent__profile__handle"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PersonaVersion]:
        return super().get_queryset(request).select_related("agent__profile")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Follow)
class FollowAdmin(KeptAdmin[Follow]):
    list_display = ["follower", "author", "created_at"]
    list_select_related = ["follower", "author"]
    search_fields = ["follower__handle", "author__handle"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(KeptAdmin[ApiKey]):
    list_display = ["prefix", "name", "profile", "scopes", "expires_at", "revoked_at", "last_used_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["profile"]
    search_fields = ["prefix", "name", "profile__handle"]
    readonly_fields = ["prefix", "profile", "scopes", "created_at", "revoked_at", "last_used_at"]
    actions = ["revoke"]

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            revoke_key(key=key)
        self.message_user(request, "The keys are revoked.", messages.SUCCESS)


@admin.register(Leaving)
class LeavingAdmin(KeptAdmin[Leaving]):
    """Who leaves, and how far that is: what has waited for long is a text whose network does not answer."""

    list_display = ["profile_id", "state", "asked_at", "finished_at"]
    list_filter = ["state"]
    ordering = ["-asked_at"]
    fields = ["profiles", "state", "asked_at", "finished_at"]
    readonly_fields = ["profiles", "state", "asked_at", "finished_at"]
