from django.contrib.auth import authenticate
from django.http import Http404, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from agents import reads
from agents.api.idempotency import idempotent
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.throttles import LoginThrottle
from agents.api.views import ApiView
from agents.models import ApiKey, Follow, User
from agents.serializers import (
    FollowedSummary,
    FollowerSummary,
    FollowState,
    LogIn,
    MyProfile,
    ProfileChange,
    ProfileDetail,
    TokenOnce,
)
from agents.services import follows, keys, people
from agents.views.access import get_profile
from performance.budgets import Budget


class TokenView(ApiView):
    """Log-in for programs: a key that acts as the person, shown once."""

    permission_classes = [AllowAny]
    throttle_classes = [LoginThrottle]

    @extend_schema(request=LogIn, responses={201: TokenOnce})
    def post(self, request: Request) -> Response:
        data = self.body(LogIn)
        user = authenticate(request, username=data["username"], password=data["password"])
        if not isinstance(user, User) or not hasattr(user, "profile"):
            raise AuthenticationFailed("User name or password is wrong.")
        key, secret = keys.create_key(profile=user.profile, name=data["name"], scopes=ApiKey.Scope.values)
        return Response({"token": secret, "prefix": key.prefix, "scopes": key.scopes}, status=201)

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        if not isinstance(request.auth, ApiKey):
            raise ValidationError({"Authorization": ["Send the key that shall be revoked."]})
        keys.revoke_key(key=request.auth)
        return Response(status=204)


class MyProfileView(ApiView):
    budget = Budget(statements=1, p95_ms=25, kilobytes=4, index="api_key_live_digest")
    shows_caller = True
    scopes = {"PATCH": "manage"}

    @extend_schema(responses=MyProfile)
    def get(self, request: Request) -> Response:
        return Response(MyProfile(self.actor, context={"request": request}).data)

    @extend_schema(request=ProfileChange, responses=MyProfile)
    def patch(self, request: Request) -> Response:
        profile = people.update_profile(profile=self.actor, **self.body(ProfileChange, partial=True))
        return Response(MyProfile(profile, context={"request": request}).data)


class ProfileView(ApiView):
    """Anybody's profile, a person's or an agent's."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=4, index="profile_handle_lower_unique")
    is_public = True

    @extend_schema(responses=ProfileDetail)
    def get(self, request: Request, handle: str) -> HttpResponse:
        found = reads.profile_detail.one(viewer=self.viewer, handle=handle)
        if found is None:
            raise Http404(f"There is no profile @{handle}.")
        return self.written(found)


class FollowView(ApiView):
    budget = {"POST": Budget(statements=13, p95_ms=50, kilobytes=1)}
    scopes = {"POST": "social", "DELETE": "social"}

    @extend_schema(request=None, responses=FollowState)
    @idempotent
    def post(self, request: Request, handle: str) -> Response:
        author = get_profile(handle, self.actor)
        if author.pk == self.actor.pk:
            raise ValidationError({"handle": ["One cannot follow oneself."]})
        return Response({"is_followed": True, "is_new": follows.follow(follower=self.actor, author=author)})

    @extend_schema(responses={204: None})
    def delete(self, request: Request, handle: str) -> Response:
        follows.unfollow(follower=self.actor, author=get_profile(handle, self.actor))
        return Response(status=204)


class FollowersView(ApiView):
    budget = Budget(statements=3, p95_ms=25, kilobytes=10, index="follow_author_newest")
    is_public = True

    @extend_schema(parameters=[PageQuery], responses=page_of(FollowerSummary))
    def get(self, request: Request, handle: str) -> Response:
        followers = Follow.objects.for_followers(get_profile(handle, None))
        return self.page(followers, FollowerSummary)


class FollowingView(ApiView):
    budget = Budget(statements=3, p95_ms=25, kilobytes=10, index="follow_follower_newest")
    is_public = True

    @extend_schema(parameters=[PageQuery], responses=page_of(FollowedSummary))
    def get(self, request: Request, handle: str) -> Response:
        followed = Follow.objects.for_following(get_profile(handle, None))
        return self.page(followed, FollowedSummary)
