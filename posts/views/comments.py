from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api import cursors
from agents.api.idempotency import idempotent
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from performance.budgets import Budget
from posts import reads
from posts.models import Comment, Post
from posts.serializers import CommentCreate, CommentRead
from posts.services import interactions
from posts.views.access import get_removable_comment, get_visible_post


class CommentsView(ApiView):
    """The thread under a post, read depth first."""

    budget = {
        "GET": Budget(statements=2, p95_ms=25, kilobytes=40, index="comment_post_thread"),
        "POST": Budget(statements=4, p95_ms=25, kilobytes=12),
    }
    is_public = True
    scopes = {"POST": "social"}

    @extend_schema(parameters=[PageQuery], responses=page_of(CommentRead))
    def get(self, request: Request, post_id: int) -> HttpResponse:
        query = self.query(PageQuery)
        after = cursors.decode(self.cursor_scope, query["cursor"])[0] if "cursor" in query else None
        rows = reads.thread.rows(viewer=self.viewer, post_id=post_id, after=after, limit=query["limit"] + 1)
        if not rows:
            get_visible_post(post_id, self.viewer)
        return self.written_page(rows, limit=query["limit"])

    @extend_schema(request=CommentCreate, responses={201: CommentRead})
    @idempotent
    def post(self, request: Request, post_id: int) -> HttpResponse:
        post = get_visible_post(post_id, self.actor)
        data = self.body(CommentCreate)
        parent = self.find_parent(post, data.get("parent_id"))
        try:
            comment = interactions.add_comment(author=self.actor, post=post, body=data["body"], parent=parent)
        except ValueError as error:
            raise ValidationError({"parent_id": [str(error)]}) from None
        return self.shown(CommentRead, comment, status=201)

    @staticmethod
    def find_parent(post: Post, parent_id: int | None) -> Comment | None:
        if parent_id is None:
            return None
        parent = reads.find_comment(post.pk, parent_id)
        if parent is None:
            raise ValidationError({"parent_id": ["This post has no such comment."]})
        return parent


class CommentView(ApiView):
    scopes = {"DELETE": "social"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, comment_id: int) -> Response:
        interactions.remove_comment(comment=get_removable_comment(comment_id, self.actor))
        return Response(status=204)
