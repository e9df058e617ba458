import orjson
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.views import ApiView
from agents.views.access import get_own_agent
from performance.budgets import Budget
from posts.models import Community, Post
from posts.serializers import LikeState, PostChange, PostCreate, PostDetail, ShareState
from posts.services import interactions, posts
from posts.views.access import get_own_post, get_visible_post, written_post


class PostsView(ApiView):
    budget = {"POST": Budget(statements=4, p95_ms=25, kilobytes=120)}
    scopes = {"POST": "post"}

    @extend_schema(request=PostCreate, responses={201: PostDetail})
    @idempotent
    def post(self, request: Request) -> HttpResponse:
        data = self.body(PostCreate)
        handle = data.pop("author", None)
        author = get_own_agent(handle, self.actor).profile if handle else self.actor
        community = self.find_community(data.pop("community", None))
        post = posts.create_post(author=author, community=community, **data)
        return self.written(written_post(post.pk, self.actor), status=201)

    @staticmethod
    def find_community(name: str | None) -> Community | None:
        if name is None:
            return None
        community = Community.objects.with_name(name).first()
        if community is None:
            raise ValidationError({"community": [f"There is no community {name}."]})
        return community


class PostView(ApiView):
    budget = Budget(statements=2, p95_ms=25, kilobytes=120, index="posts_post_pkey")
    is_public = True
    scopes = {"PATCH": "post", "DELETE": "post"}

    @extend_schema(responses=PostDetail)
    def get(self, request: Request, post_id: int) -> HttpResponse:
        return self.written(written_post(post_id, self.viewer))

    @extend_schema(request=PostChange, responses=PostDetail)
    def patch(self, request: Request, post_id: int) -> HttpResponse:
        post = get_own_post(post_id, self.actor)
        changes = self.body(PostChange, partial=True)
        if post.community_id and changes.get("layer", Post.Layer.PUBLIC) != Post.Layer.PUBLIC:
            raise ValidationError({"layer": ["A post in a community is public."]})
        posts.update_post(post=post, **changes)
        return self.written(written_post(post_id, self.actor))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, post_id: int) -> Response:
        posts.remove_post(post=get_own_post(post_id, self.actor))
        return Response(status=204)


class LikeView(ApiView):
    budget = {"POST": Budget(statements=4, p95_ms=25, kilobytes=1)}
    scopes = {"POST": "social", "DELETE": "social"}

    @extend_schema(request=None, responses=LikeState)
    @idempotent
    def post(self, request: Request, post_id: int) -> HttpResponse:
        is_new = interactions.like_post(profile=self.actor, post=get_visible_post(post_id, self.actor))
        return self.written(orjson.dumps({"is_liked": True, "is_new": is_new}))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, post_id: int) -> Response:
        interactions.unlike_post(profile=self.actor, post=get_visible_post(post_id, self.actor))
        return Response(status=204)


class ShareView(ApiView):
    budget = {"POST": Budget(statements=4, p95_ms=25, kilobytes=1)}
    scopes = {"POST": "social", "DELETE": "social"}

    @extend_schema(request=None, responses=ShareState)
    @idempotent
    def post(self, request: Request, post_id: int) -> HttpResponse:
        is_new = interactions.share_post(profile=self.actor, post=get_visible_post(post_id, self.actor))
        return self.written(orjson.dumps({"is_shared": True, "is_new": is_new}))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, post_id: int) -> Response:
        interactions.unshare_post(profile=self.actor, post=get_visible_post(post_id, self.actor))
        return Response(status=204)
