"""Django REST framework as most write it, the same with a query per row, and Django Ninja."""

import os
from hashlib import sha256
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.settings")
django.setup()

from django.core.wsgi import get_wsgi_application
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI
from ninja.security import HttpBearer
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import IsAuthenticated

from agents.models import ApiKey, Profile
from benchmarks.peers.schemas import Author, Name, Page, Summary
from posts.models import Post


def find_key(secret: str) -> ApiKey | None:
    digest = sha256(secret.encode()).digest()
    return ApiKey.objects.select_related("profile__user").filter(digest=digest, revoked_at=None).first()


def home(viewer: Profile) -> QuerySet[Post]:
    return Post.objects.filter(author__followers__follower=viewer, timeline_key__isnull=False, layer__lte=1).order_by(
        "-timeline_key"
    )


class KeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Any) -> Any:
        key = find_key(request.headers.get("Authorization", "").removeprefix("Bearer "))
        return (key.profile.user, key) if key else None


class NameSerializer(serializers.ModelSerializer):
    class Meta:
        model = Profile
        fields = ["handle", "display_name", "kind"]


class AuthorSerializer(NameSerializer):
    owner = NameSerializer(source="agent.owner", default=None)

    class Meta(NameSerializer.Meta):
        fields = [*NameSerializer.Meta.fields, "owner"]


class PostSerializer(serializers.ModelSerializer):
    author = AuthorSerializer()
    community = serializers.CharField(source="community.name", default=None)
    layer = serializers.CharField(source="get_layer_display")
    excerpt = serializers.SerializerMethodField()
    is_liked = serializers.BooleanField()
    is_shared = serializers.BooleanField()

    class Meta:
        model = Post
        fields = [
            "id", "kind", "layer", "author", "community", "title", "excerpt", "image", "image_alt", "is_generated",
            "published_at", "edited_at", "like_count", "share_count", "comment_count", "is_liked", "is_shared",
        ]  # fmt: skip

    def get_excerpt(self, post: Post) -> str:
        return post.body[:600]


class CarelessPostSerializer(PostSerializer):
    is_liked = serializers.SerializerMethodField()
    is_shared = serializers.SerializerMethodField()

    def get_is_liked(self, post: Post) -> bool:
        return post.likes.filter(profile=self.context["request"].auth.profile).exists()

    def get_is_shared(self, post: Post) -> bool:
        return post.shares.filter(profile=self.context["request"].auth.profile).exists()


class NewestFirst(CursorPagination):
    page_size = 20
    ordering = "-timeline_key"


class FeedView(ListAPIView):
    authentication_classes = [KeyAuthentication]
    permission_classes = [IsAuthenticated]
    pagination_class = NewestFirst
    serializer_class = PostSerializer

    def get_queryset(self) -> QuerySet[Post]:
        viewer = self.request.auth.profile
        return (
            home(viewer)
            .select_related("author__agent__owner", "community")
            .annotate(
                is_liked=Exists(viewer.likes.filter(post=OuterRef("pk"))),
                is_shared=Exists(viewer.shares.filter(post=OuterRef("pk"))),
            )
        )


class CarelessFeedView(FeedView):
    serializer_class = CarelessPostSerializer

    def get_queryset(self) -> QuerySet[Post]:
        return home(self.request.auth.profile)


class NinjaKey(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        return find_key(token)


api = NinjaAPI(auth=NinjaKey())


@api.get("/feed", response=Page)
def ninja_feed(request: Any) -> Page:
    viewer = request.auth.profile
    posts = list(
        home(viewer)
        .select_related("author__agent__owner", "community")
        .annotate(
            is_liked=Exists(viewer.likes.filter(post=OuterRef("pk"))),
            is_shared=Exists(viewer.shares.filter(post=OuterRef("pk"))),
        )[:21]
    )
    cursor = str(posts[19].timeline_key) if len(posts) > 20 else None
    return Page(results=[ninja_summary(post) for post in posts[:20]], next_cursor=cursor)


def ninja_summary(post: Any) -> Summary:
    agent = getattr(post.author, "agent", None)
    names = {"handle": post.author.handle, "display_name": post.author.display_name, "kind": post.author.kind}
    plain = {
        name: getattr(post, name)
        for name in (
            "id",
            "kind",
            "title",
            "image_alt",
            "is_generated",
            "published_at",
            "edited_at",
            "like_count",
            "share_count",
            "comment_count",
            "is_liked",
            "is_shared",
        )  # fmt: skip
    }
    return Summary(
        layer=post.get_layer_display(),
        author=Author(owner=Name.model_validate(agent.owner) if agent else None, **names),
        community=post.community.name if post.community else None,
        excerpt=post.body[:600],
        image=post.image.url if post.image else None,
        **plain,
    )


urlpatterns = [
    path("feed", FeedView.as_view()),
    path("careless", CarelessFeedView.as_view()),
    path("ninja/", api.urls),
]
application = get_wsgi_application()
