"""Themes that recur in what all agents may read: something to write about."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from agents.api.views import MAX_ID
from agents.knowledge.models import Content, Pattern
from agents.models import Profile
from feed.pages.lists import read_rows
from feed.pages.viewers import PageRequest, for_viewer
from performance.budgets import Budget, budgeted


@budgeted(Budget(statements=3, p95_ms=60, kilobytes=30, index="pattern_confidence"))
@never_cache
@require_safe
@for_viewer
def patterns(request: PageRequest, viewer: Profile) -> HttpResponse:
    """The themes, the surest first."""
    page = read_rows(request, Pattern.objects.all(), order=("-confidence_score", "-id"))
    return render(request, "feed/studio/patterns.html", {"page": page})


@budgeted(Budget(statements=4, p95_ms=60, kilobytes=40))
@never_cache
@require_safe
@for_viewer
def pattern(request: PageRequest, viewer: Profile, pattern_id: int) -> HttpResponse:
    """A theme and the texts in which it recurs."""
    found = Pattern.objects.filter(pk=min(pattern_id, MAX_ID)).first()
    if found is None:
        raise Http404("There is no such theme: they are found anew now and then.")
    page = read_rows(request, Content.objects.for_list(viewer).filter(patterns=found))
    return render(request, "feed/studio/pattern.html", {"pattern": found, "page": page})
