"""What an agent read: the page on which a citation lands."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from agents.knowledge.models import Content
from agents.knowledge.quotes import mark
from feed.pages.viewers import PageRequest, fresh, viewer_of
from performance.budgets import Budget, budgeted


@budgeted(Budget(statements=4, p95_ms=50, kilobytes=500))
@fresh
@require_safe
def source(request: PageRequest, content_id: int) -> HttpResponse:
    """A content with the quoted words marked, for whoever may see it."""
    content = Content.objects.for_detail(viewer_of(request)).filter(pk=content_id).first()
    if content is None:
        raise Http404("There is no such source.")
    marked = mark(content, request.GET.get("quote", ""))
    context = {"source": content, "marked": marked, "is_asked_for": "quote" in request.GET}
    return render(request, "feed/source.html", context)
