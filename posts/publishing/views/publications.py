from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.problems import Conflict, naming
from agents.api.schema import page_of
from agents.api.views import ApiView
from agents.models import Profile
from performance.budgets import Budget
from posts.models import Post
from posts.publishing.models import Publication, PublicationEvent, SocialAccount
from posts.publishing.serializers import (
    MoveRequest,
    PublicationDetail,
    PublicationItem,
    PublishRequest,
    ResolveRequest,
    ScheduleQuery,
    ScheduleRequest,
    Submitted,
)
from posts.publishing.services import publications
from posts.publishing.services.requests import Wanted, submit
from posts.publishing.services.slots import moment_of
from posts.publishing.services.transitions import Overtaken


def get_publication(publication_id: int, viewer: Profile) -> Publication:
    publication = Publication.objects.for_list(viewer).filter(pk=publication_id).first()
    if publication is None:
        raise Http404
    return publication


def detail_of(publication: Publication) -> dict[str, Any]:
    publication.history = list(PublicationEvent.objects.for_history(publication))  # type: ignore[attr-defined]
    return PublicationDetail(publication).data


class SubmitView(ApiView):
    """What publishing now and scheduling share."""

    scopes = {"POST": "post"}

    def submit(
        self, data: dict[str, Any], *, scheduled_at: datetime | None = None, next_slot: bool = False
    ) -> Response:
        wanted = Wanted(
            accounts=self.find_accounts(data["accounts"]),
            body=data.get("text", ""),
            post=self.find_post(data.get("post")),
            variants=data.get("variants", {}),
            split=data["split"],
            with_image=data["with_image"],
            scheduled_at=scheduled_at,
            next_slot=next_slot,
        )
        rows, warnings = submit(author=self.actor, wanted=wanted)
        return Response(Submitted({"publications": rows, "warnings": warnings}).data, status=202)

    def find_accounts(self, ids: list[int], *, field: str = "accounts") -> list[SocialAccount]:
        found = {row.pk: row for row in SocialAccount.objects.for_list(self.actor).filter(pk__in=ids)}
        if missing := [account_id for account_id in ids if account_id not in found]:
            raise ValidationError({field: [f"You have no account {missing[0]}."]})
        return [found[account_id] for account_id in dict.fromkeys(ids)]

    def find_post(self, post_id: int | None) -> Post | None:
        """Find a post of the actor's own or of its agents': nobody publishes what others wrote."""
        if post_id is None:
            return None
        post = Post.objects.published().answered_for_by(self.actor).filter(pk=post_id).first()
        if post is None:
            raise ValidationError({"post": ["You have no such post."]})
        return post


class PublishView(SubmitView):
    @extend_schema(request=PublishRequest, responses={202: Submitted})
    @idempotent
    def post(self, request: Request) -> Response:
        return self.submit(self.body(PublishRequest))


class ScheduleView(SubmitView):
    budget = {"GET": Budget(statements=2, p95_ms=25, kilobytes=200)}

    @extend_schema(parameters=[ScheduleQuery], responses=page_of(PublicationItem))
    def get(self, request: Request) -> Response:
        query = self.query(ScheduleQuery)
        rows = Publication.objects.for_list(self.actor).filter(scheduled_at__isnull=False)
        if "start" in query:
            rows = rows.filter(scheduled_at__gte=query["start"])
        if "end" in query:
            rows = rows.filter(scheduled_at__lt=query["end"])
        if "status" in query:
            rows = rows.filter(status=query["status"])
        return self.page(rows, PublicationItem, order=("scheduled_at", "id"), query_class=ScheduleQuery)

    @extend_schema(request=ScheduleRequest, responses={202: Submitted})
    @idempotent
    def post(self, request: Request) -> Response:
        data = self.body(ScheduleRequest)
        moment = data.get("scheduled_at")
        if "local_time" in data:
            moment = self.local_moment(data["local_time"], data["time_zone"])
        return self.submit(data, scheduled_at=moment, next_slot=data["next_slot"])

    @staticmethod
    def local_moment(local_time: str, time_zone: str) -> datetime:
        try:
            local = datetime.fromisoformat(local_time)
        except ValueError:
            raise ValidationError({"local_time": ["There is no such time."]}) from None
        with naming("time_zone"):
            return moment_of(local, time_zone)


class ScheduledView(ApiView):
    scopes = {"PATCH": "post", "DELETE": "post"}

    @extend_schema(request=MoveRequest, responses=PublicationDetail)
    def patch(self, request: Request, publication_id: int) -> Response:
        publication = get_publication(publication_id, self.actor)
        moment = self.body(MoveRequest)["scheduled_at"]
        with naming("scheduled_at"):
            publications.check_schedule(moment)
        act(publications.move, publication=publication, actor=self.actor, scheduled_at=moment)
        return Response(detail_of(get_publication(publication_id, self.actor)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, publication_id: int) -> Response:
        act(publications.cancel, publication=get_publication(publication_id, self.actor), actor=self.actor)
        return Response(status=204)


def act(service: Callable[..., None], **arguments: Any) -> None:
    """Run a change that may come too late."""
    try:
        service(**arguments)
    except Overtaken as error:
        raise Conflict(str(error)) from error


class PublicationsView(ApiView):
    budget = {"GET": Budget(statements=2, p95_ms=25, kilobytes=200)}

    @extend_schema(responses=page_of(PublicationItem))
    def get(self, request: Request) -> Response:
        return self.page(Publication.objects.for_list(self.actor), PublicationItem)


class PublicationView(ApiView):
    budget = {"GET": Budget(statements=3, p95_ms=25, kilobytes=200)}

    @extend_schema(responses=PublicationDetail)
    def get(self, request: Request, publication_id: int) -> Response:
        return Response(detail_of(get_publication(publication_id, self.actor)))


class ActionView(ApiView):
    """One change of a publication's state, by hand."""

    scopes = {"POST": "post"}
    owner_only = False

    def act(self, publication_id: int, service: Callable[..., None], **arguments: Any) -> Response:
        publication = get_publication(publication_id, self.actor)
        if self.owner_only and publication.owner_id != self.actor.pk:
            raise PermissionDenied("Only the owner of the account may do this.")
        act(service, publication=publication, actor=self.actor, **arguments)
        return Response(detail_of(get_publication(publication_id, self.actor)))


class RetryView(ActionView):
    @extend_schema(request=None, responses=PublicationDetail)
    @idempotent
    def post(self, request: Request, publication_id: int) -> Response:
        return self.act(publication_id, publications.retry)


class ResolveView(ActionView):
    owner_only = True

    @extend_schema(request=ResolveRequest, responses=PublicationDetail)
    @idempotent
    def post(self, request: Request, publication_id: int) -> Response:
        data = self.body(ResolveRequest)
        return self.act(
            publication_id,
            publications.resolve,
            is_out=data["outcome"] == "published",
            remote_id=data["remote_id"],
            url=data["remote_url"],
        )


class ApproveView(ActionView):
    owner_only = True

    @extend_schema(request=None, responses=PublicationDetail)
    @idempotent
    def post(self, request: Request, publication_id: int) -> Response:
        return self.act(publication_id, publications.approve)


class RejectView(ActionView):
    owner_only = True

    @extend_schema(request=None, responses=PublicationDetail)
    @idempotent
    def post(self, request: Request, publication_id: int) -> Response:
        return self.act(publication_id, publications.cancel)
