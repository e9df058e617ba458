from typing import Any

from rest_framework import serializers

from agents.api.serializers import PageQuery, StrictSerializer
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.networks import NETWORKS
from posts.publishing.states import Status
from posts.publishing.tokens import Secret

MAX_ACCOUNTS = 20


class AccountDetail(serializers.Serializer[SocialAccount]):
    """An account, without anything that could be used in its name."""

    id = serializers.IntegerField()
    network = serializers.CharField()
    handle = serializers.CharField()
    base_url = serializers.CharField()
    state = serializers.CharField()
    time_zone = serializers.CharField()
    token_expires_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class PublicationItem(serializers.Serializer[Publication]):
    id = serializers.IntegerField()
    network = serializers.CharField()
    account = serializers.IntegerField(source="account_id")
    post = serializers.IntegerField(source="post_id", allow_null=True)
    previous = serializers.IntegerField(source="previous_id", allow_null=True)
    text = serializers.CharField()
    has_image = serializers.SerializerMethodField()
    status = serializers.ChoiceField(choices=Status.choices)
    scheduled_at = serializers.DateTimeField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    remote_url = serializers.CharField()
    attempt = serializers.IntegerField()
    error_class = serializers.CharField()
    error_detail = serializers.CharField()
    needs_review = serializers.SerializerMethodField()

    def get_has_image(self, publication: Publication) -> bool:
        return bool(publication.image)

    def get_needs_review(self, publication: Publication) -> bool:
        return publication.status == Status.UNKNOWN and publication.due_at is None


class EventItem(serializers.Serializer[Any]):
    from_status = serializers.CharField()
    to_status = serializers.CharField()
    actor = serializers.CharField(source="actor.handle", default=None, allow_null=True)
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class PublicationDetail(PublicationItem):
    events = EventItem(many=True, source="history")


class Submitted(serializers.Serializer[Any]):
    publications = PublicationItem(many=True)
    warnings = serializers.ListField(child=serializers.CharField())


class PublishRequest(StrictSerializer):
    accounts = serializers.ListField(child=serializers.IntegerField(min_value=1), min_length=1, max_length=MAX_ACCOUNTS)
    text = serializers.CharField(required=False, max_length=100_000)
    post = serializers.IntegerField(required=False, min_value=1)
    variants = serializers.DictField(child=serializers.CharField(max_length=100_000), required=False)
    split = serializers.BooleanField(default=False)
    with_image = serializers.BooleanField(default=True)

    def validate_variants(self, variants: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(set(variants) - set(NETWORKS)):
            raise serializers.ValidationError(f"There is no network {unknown[0][:40]}.")
        return variants

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not {"text", "post", "variants"} & set(attrs):
            raise serializers.ValidationError({"text": "Give a text, a post or variants."})
        return attrs


class ScheduleRequest(PublishRequest):
    """When: a moment with its offset, a wall-clock time in a named zone, or the next free slot."""

    scheduled_at = serializers.DateTimeField(required=False)
    local_time = serializers.RegexField(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?\Z", required=False)
    time_zone = serializers.CharField(required=False, max_length=64)
    next_slot = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = ("scheduled_at" in attrs) + ("local_time" in attrs) + attrs["next_slot"]
        if given != 1 or ("local_time" in attrs) != ("time_zone" in attrs):
            raise serializers.ValidationError(
                {"scheduled_at": "Give scheduled_at, or local_time and time_zone, or next_slot."}
            )
        return super().validate(attrs)


class MoveRequest(StrictSerializer):
    scheduled_at = serializers.DateTimeField()


class ScheduleQuery(PageQuery):
    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)
    status = serializers.ChoiceField(choices=Status.choices, required=False)


class ResolveRequest(StrictSerializer):
    outcome = serializers.ChoiceField(choices=["published", "not_published"])
    remote_id = serializers.CharField(required=False, max_length=300, default="")
    remote_url = serializers.URLField(required=False, max_length=500, default="")


class SecretField(serializers.CharField):
    """A credential that prints as dots from the moment it is read."""

    def to_internal_value(self, data: Any) -> Secret:
        return Secret(super().to_internal_value(data))


class ConnectRequest(StrictSerializer):
    network = serializers.ChoiceField(choices=sorted(NETWORKS))
    base_url = serializers.URLField(required=False, max_length=400, default="")
    # Bluesky
    identifier = serializers.CharField(required=False, max_length=300)
    password = SecretField(required=False, max_length=300, write_only=True)
    # Webhook
    name = serializers.CharField(required=False, max_length=100, default="")
    takes_idempotency_key = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = {"bluesky": ("identifier", "password"), "webhook": ("base_url",)}.get(attrs["network"], ())
        if missing := [name for name in needed if not attrs.get(name)]:
            raise serializers.ValidationError(dict.fromkeys(missing, "This network needs it."))
        return attrs


class Connected(serializers.Serializer[Any]):
    authorize_url = serializers.CharField(required=False, help_text="Open this page to give consent.")
    account = AccountDetail(required=False)
    secret = serializers.CharField(required=False, help_text="Signs the webhook; shown once.")


class CallbackQuery(StrictSerializer):
    """What a consent page sends back; networks add parameters of their own."""

    state = serializers.CharField(max_length=200)
    code = serializers.CharField(max_length=2000)


class AccountChange(StrictSerializer):
    time_zone = serializers.CharField(required=False, max_length=64)
    slots = serializers.ListField(
        child=serializers.RegexField(r"\A(mon|tue|wed|thu|fri|sat|sun) ([01]\d|2[0-3]):[0-5]\d\Z"),
        required=False,
        max_length=100,
    )


class PolicyDetail(StrictSerializer):
    owner_approves = serializers.BooleanField()
