"""A post's own page, and what readers do with it: like, share, answer."""

from typing import Any

import orjson
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import reswap, retarget

from agents.api import cursors
from agents.api.serializers import DEFAULT_LIMIT
from agents.models import Profile
from agents.services.once import OtherRequest
from feed.pages import drafts, reads
from feed.pages.cards import CommentCard
from feed.pages.forms import CommentForm
from feed.pages.once import SENT_ALREADY, act_once
from feed.pages.viewers import PageRequest, came_from, for_viewer, fresh, log_in_first, viewer_of, with_unread
from performance.budgets import Budget, budgeted
from posts.generation.citations import citations_in
from posts.models import Comment, Post
from posts.services import interactions
from posts.views.access import get_post, get_removable_comment


@budgeted(Budget(statements=4, p95_ms=100, kilobytes=200, index="comment_post_thread"))
@fresh
@require_safe
def post(request: PageRequest, post_id: int) -> HttpResponse:
    """A post and the thread under it; for a generated one, what it quotes."""
    is_part = request.htmx and not request.htmx.history_restore_request
    found = read_post(post_id, viewer_of(request)) if is_part else read_whole(request, post_id)
    comments, next_cursor = read_thread(request, post_id)
    context = {"post": found, "comments": comments, "next_cursor": next_cursor}
    if is_part:
        template = "feed/partials/thread.html"
    else:
        template = "feed/post.html"
        context["citations"] = citations_in(post_id=post_id, body=found["body"]) if found["is_generated"] else []
        context["form"] = CommentForm(initial=drafts.take(request, draft_of(post_id, None)))
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def read_post(post_id: int, viewer: Profile | None) -> Any:
    found = reads.post.one(viewer=viewer, post_id=post_id)
    if found is None:
        raise Http404("There is no such post.")
    return orjson.loads(found)


def read_whole(request: PageRequest, post_id: int) -> Any:
    found = with_unread(request, reads.post_and_unread, viewer=viewer_of(request), post_id=post_id)
    if found is None:
        raise Http404("There is no such post.")
    return found


def read_thread(request: PageRequest, post_id: int) -> tuple[list[Any], str | None]:
    cursor = request.GET.get("cursor")
    after = cursors.decode(request.path, cursor)[0] if cursor else None
    rows = reads.thread.rows(viewer=viewer_of(request), post_id=post_id, after=after, limit=DEFAULT_LIMIT + 1)
    shown = rows[:DEFAULT_LIMIT]
    has_next = len(rows) > DEFAULT_LIMIT
    following = cursors.encode(request.path, shown[-1].position_values()) if has_next else None
    return [orjson.loads(row.json) for row in shown], following


@require_POST
@for_viewer
def react(request: PageRequest, viewer: Profile, post_id: int) -> HttpResponse:
    """Like or share, or take it back: the button says which state it asks for, so that twice is once."""
    found = get_post(post_id, viewer)
    match request.POST.get("like"), request.POST.get("share"):
        case "yes", _:
            interactions.like_post(profile=viewer, post=found)
        case "no", _:
            interactions.unlike_post(profile=viewer, post=found)
        case _, "yes":
            interactions.share_post(profile=viewer, post=found)
        case _, "no":
            interactions.unshare_post(profile=viewer, post=found)
    if request.htmx:
        return render(request, "feed/partials/actions.html", {"post": read_post(post_id, viewer)})
    back = came_from(request, reverse("reader:post", args=[post_id]))
    return HttpResponseRedirect(f"{back.partition('#')[0]}#post-{post_id}")


@require_POST
def comment(request: PageRequest, post_id: int) -> HttpResponse:
    """Answer a post. Nothing typed is lost when the session has ended: it waits until after the log-in."""
    return add_comment(request, post_id, None)


@require_http_methods(["GET", "HEAD", "POST"])
def reply(request: PageRequest, post_id: int, comment_id: int) -> HttpResponse:
    """Answer a comment: its form on a page of its own, or in the thread when htmx asks."""
    if request.method == "POST":
        return add_comment(request, post_id, comment_id)
    return show_reply_form(request, post_id, comment_id)


@for_viewer
def show_reply_form(request: PageRequest, viewer: Profile, post_id: int, comment_id: int) -> HttpResponse:
    found = get_post(post_id, viewer)
    form = CommentForm(initial=drafts.take(request, draft_of(post_id, comment_id)))
    return show_form(request, found, get_parent(found, comment_id), form)


def add_comment(request: PageRequest, post_id: int, parent_id: int | None) -> HttpResponse:
    if viewer_of(request) is None:
        drafts.keep(request, draft_of(post_id, parent_id), body=CommentForm.MAX_LENGTH)
        name, args = ("reader:reply", [post_id, parent_id]) if parent_id else ("reader:post", [post_id])
        return log_in_first(request, then=reverse(name, args=args))
    return add_comment_as_viewer(request, post_id, parent_id)


@for_viewer
def add_comment_as_viewer(request: PageRequest, viewer: Profile, post_id: int, parent_id: int | None) -> HttpResponse:
    found = get_post(post_id, viewer)
    parent = get_parent(found, parent_id) if parent_id else None
    form = CommentForm(request.POST)

    def add_one() -> str:
        body = form.cleaned_data["body"]
        return str(interactions.add_comment(author=viewer, post=found, body=body, parent=parent).pk)

    if form.is_valid():
        try:
            return show_added(request, found, int(act_once(request, viewer, add_one)))
        except OtherRequest:
            form.add_error("body", SENT_ALREADY)
        except ValueError as error:
            form.add_error("body", str(error))
    return show_form(request, found, parent, form)


def show_added(request: PageRequest, found: Post, comment_id: int) -> HttpResponse:
    if not request.htmx:
        return HttpResponseRedirect(reverse("reader:post", args=[found.pk]) + f"#comment-{comment_id}")
    row = CommentCard(Comment.objects.for_thread(found.pk).get(pk=comment_id)).data
    context: dict[str, Any] = {"post": {"id": found.pk}, "comment": row, "form": CommentForm(), "is_new": True}
    return render(request, "feed/partials/added.html", context)


def show_form(request: PageRequest, found: Post, parent: Comment | None, form: CommentForm) -> HttpResponse:
    context = {"post": {"id": found.pk, "title": found.title}, "form": form}
    if parent:
        context["parent"] = CommentCard(parent).data
    status = 422 if form.is_bound else 200
    if not request.htmx:
        return render(request, "feed/reply.html", context, status=status)
    response = render(request, "feed/partials/comment_form.html", context, status=status)
    if form.is_bound:
        form_id = f"#reply-{parent.pk}" if parent else "#comment-form"
        response = reswap(retarget(response, form_id), "outerHTML")
    return response


@require_POST
@for_viewer
def remove_comment(request: PageRequest, viewer: Profile, comment_id: int) -> HttpResponse:
    found = get_removable_comment(comment_id, viewer)
    interactions.remove_comment(comment=found)
    return HttpResponseRedirect(reverse("reader:post", args=[found.post_id]) + f"#comment-{comment_id}")


def get_parent(found: Post, comment_id: int) -> Comment:
    parent = Comment.objects.for_thread(found.pk).filter(pk=comment_id, removed_at=None).first()
    if parent is None:
        raise Http404("This post has no such comment.")
    return parent


def draft_of(post_id: int, parent_id: int | None) -> str:
    """Name the form of an answer, for what was typed when the session had ended."""
    return f"comment:{post_id}:{parent_id or ''}"
