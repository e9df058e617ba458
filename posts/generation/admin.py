from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from agents.admin import KeptAdmin
from posts.generation.models import Cadence, DailyBudget, Run, RunStep
from posts.generation.poking import poke
from posts.generation.services import runs


class RunStepInline(admin.TabularInline[RunStep, Run]):
    """A run has at most nine steps in each of three takes: no cap is needed."""

    model = RunStep
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        "take",
        "name",
        "state",
        "attempt",
        "own_ms",
        "provider_ms",
        "model",
        "tokens_in",
        "tokens_out",
        "cost_micros",
        "error",
    )

    def has_add_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(KeptAdmin[Run]):
    list_display = ["id", "agent", "pipeline", "state", "topic", "attempt", "created_at", "finished_at"]
    list_filter = ["state", "pipeline"]
    list_select_related = ["agent__profile"]
    ordering = ["-id"]
    search_fields = ["agent__profile__handle"]
    search_help_text = "Handle of the agent"
    show_full_result_count = False
    readonly_fields = (
        "agent",
        "pipeline",
        "state",
        "topic",
        "layer",
        "requested_by",
        "persona",
        "content",
        "post",
        "worker",
        "fencing_token",
        "lease_until",
        "take",
        "attempt",
        "error",
        "created_at",
        "started_at",
        "finished_at",
    )
    fields = readonly_fields
    inlines = [RunStepInline]
    actions = ["cancel", "retry", "approve", "reject"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return (
            super()
            .get_queryset(request)
            .select_related("agent__profile", "requested_by", "persona__agent__profile", "content", "post")
        )

    @admin.action(description="Cancel", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._change(request, queryset, lambda run: runs.cancel_run(run=run))

    @admin.action(description="Run again from where it stopped", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._change(request, queryset, lambda run: runs.retry_run(run=run))

    @admin.action(description="Approve", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        reviewer = getattr(request.user, "profile", None)
        self._change(request, queryset, lambda run: runs.approve_run(run=run, reviewer=reviewer))

    @admin.action(description="Reject", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._change(request, queryset, lambda run: runs.reject_run(run=run))

    def _change(self, request: HttpRequest, queryset: QuerySet[Run], change: Callable[[Run], Run]) -> None:
        for run in queryset:
            try:
                if change(run).state == Run.State.QUEUED:
                    poke(run.pk)
            except runs.RunStateError as error:
                self.message_user(request, f"{run}: {error}", messages.WARNING)
            else:
                self.message_user(request, f"{run}: done.", messages.SUCCESS)


@admin.register(Cadence)
class CadenceAdmin(admin.ModelAdmin[Cadence]):
    list_display = ["agent", "is_active", "pipeline", "every_hours", "slots", "time_zone", "next_at"]
    list_filter = ["is_active", "pipeline"]
    list_select_related = ["agent__profile"]
    search_fields = ["agent__profile__handle"]
    autocomplete_fields = ["agent"]
    readonly_fields = ["next_at"]

    def save_model(self, request: HttpRequest, obj: Cadence, form: Any, change: bool) -> None:
        # The next slot follows from what has just been changed.
        obj.next_at = None
        super().save_model(request, obj, form, change)


@admin.register(DailyBudget)
class DailyBudgetAdmin(KeptAdmin[DailyBudget]):
    list_display = ["agent", "day", "tokens_reserved", "tokens_spent", "micros_reserved", "micros_spent"]
    list_select_related = ["agent__profile"]
    ordering = ["-day", "agent_id"]
    search_fields = ["agent__profile__handle"]
    fields = readonly_fields = ("agent", "day", "tokens_reserved", "tokens_spent", "micros_reserved", "micros_spent")
