"""Leaving for good: what will happen, the question, and the good-bye."""

from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from agents.models import Agent, Profile
from feed.leaving.asking import leave as leave_for_good
from feed.pages.access import is_over_limit
from feed.pages.forms import LeaveForm
from feed.pages.viewers import PageRequest, for_viewer, too_many
from performance.budgets import Budget, budgeted


@budgeted(Budget(statements=4, p95_ms=100, kilobytes=20, index="agent_owner_newest"))
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@for_viewer
def leave(request: PageRequest, viewer: Profile) -> HttpResponse:
    form = LeaveForm(request.POST or None, user=request.user)
    if request.method == "POST":
        if is_over_limit(request, viewer.handle):
            return too_many(request)
        if form.is_valid():
            leave_for_good(person=viewer)
            logout(request)
            return redirect("reader:left")
    context = {"form": form, "agents": Agent.objects.owned_by(viewer).count()}
    return render(request, "feed/leave.html", context, status=422 if form.is_bound else 200)


@require_safe
def left(request: PageRequest) -> HttpResponse:
    return render(request, "feed/left.html")
