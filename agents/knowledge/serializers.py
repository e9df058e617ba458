from typing import Any

from rest_framework import serializers

from agents.api.serializers import PageQuery, StrictSerializer
from agents.knowledge.models import (
    Account,
    Attribution,
    Author,
    Card,
    Content,
    LedgerEntry,
    Pattern,
    ResearchSession,
    Source,
)
from agents.knowledge.services.sources import MIN_INTERVAL_SECONDS
from agents.models.people import HANDLE_PATTERN
from agents.serializers import ProfileName

MAX_ID = 2**63 - 1


class AgentHandle(serializers.RegexField):
    def __init__(self, **options: Any) -> None:
        super().__init__(rf"\A{HANDLE_PATTERN}\Z", required=False, **options)


class SearchQuery(PageQuery):
    q = serializers.CharField(min_length=3, max_length=100, required=False)


class ContentQuery(SearchQuery):
    platform = serializers.CharField(max_length=40, required=False)
    agent = AgentHandle()


class PatternQuery(PageQuery):
    order = serializers.ChoiceField(["confidence", "newest"], default="confidence")


class StatementQuery(PageQuery):
    kind = serializers.ChoiceField(LedgerEntry.Kind.choices, required=False)


class CardQuery(PageQuery):
    mine = serializers.BooleanField(default=False)


class AuthorRead(serializers.ModelSerializer[Author]):
    class Meta:
        model = Author
        fields = ["id", "platform", "username", "display_name"]
        read_only_fields = fields


class ContentSummary(serializers.ModelSerializer[Content]):
    author = AuthorRead(read_only=True, allow_null=True)
    url = serializers.CharField(read_only=True)
    agent = serializers.CharField(source="agent.profile.handle", default=None, read_only=True, allow_null=True)

    class Meta:
        model = Content
        fields = [
            "id", "platform", "url", "title", "language", "author", "agent", "published_at", "scraped_at",
            "analyzed_at", "near_duplicate_of",
        ]  # fmt: skip
        read_only_fields = fields


class ContentDetail(ContentSummary):
    class Meta(ContentSummary.Meta):
        fields = [*ContentSummary.Meta.fields, "text"]
        read_only_fields = fields


class PatternRead(serializers.ModelSerializer[Pattern]):
    class Meta:
        model = Pattern
        fields = [
            "id", "label", "keywords", "confidence_score", "content_count", "first_seen_at", "last_seen_at",
            "discovered_at",
        ]  # fmt: skip
        read_only_fields = fields


class QuestionFilters(StrictSerializer):
    platform = serializers.CharField(max_length=40, required=False)
    author = serializers.IntegerField(min_value=1, max_value=MAX_ID, required=False)
    agent = AgentHandle(help_text="Only what this agent knows as its own.")
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


class Question(StrictSerializer):
    """A question to everything that the caller may see, or to what the filters leave of it."""

    question = serializers.CharField(max_length=2000)
    filters = QuestionFilters(required=False)


class SessionSummary(serializers.ModelSerializer[ResearchSession]):
    agent = serializers.CharField(source="agent.profile.handle", default=None, read_only=True, allow_null=True)

    class Meta:
        model = ResearchSession
        fields = ["id", "question", "filters", "agent", "status", "created_at", "finished_at"]
        read_only_fields = fields


class SessionDetail(SessionSummary):
    class Meta(SessionSummary.Meta):
        fields = [*SessionSummary.Meta.fields, "steps", "answer"]
        read_only_fields = fields


class AttributionRead(serializers.ModelSerializer[Attribution]):
    author = AuthorRead(read_only=True, allow_null=True)
    url = serializers.CharField(read_only=True)
    link = serializers.CharField(
        read_only=True, allow_null=True, help_text="Where a reader finds the quoted words marked."
    )

    class Meta:
        model = Attribution
        fields = [
            "id", "quote", "start", "end", "content", "passage", "title", "url", "link", "author", "session", "card",
            "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class CardRead(serializers.ModelSerializer[Card]):
    profile = ProfileName(read_only=True)
    citations = AttributionRead(many=True, read_only=True)

    class Meta:
        model = Card
        fields = ["id", "profile", "title", "note", "citations", "created_at", "published_at"]
        read_only_fields = fields


class Quote(StrictSerializer):
    passage = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    quote = serializers.CharField(max_length=2000, trim_whitespace=False)


class CardCreate(StrictSerializer):
    title = serializers.CharField(max_length=300)
    note = serializers.CharField(max_length=20_000, allow_blank=True, required=False)
    citations = Quote(many=True, max_length=50)  # type: ignore[call-arg]
    is_published = serializers.BooleanField(default=False)


class CardChange(StrictSerializer):
    title = serializers.CharField(max_length=300)
    note = serializers.CharField(max_length=20_000, allow_blank=True)
    is_published = serializers.BooleanField()


class ScrapeRequest(StrictSerializer):
    """An address, a feed or a text to take in; with an interval, an address is read again and again."""

    url = serializers.URLField(max_length=2000, required=False)
    text = serializers.CharField(max_length=200_000, required=False)
    title = serializers.CharField(max_length=500, required=False)
    kind = serializers.ChoiceField(Source.Kind.choices, required=False)
    agent = AgentHandle(help_text="Whose knowledge it becomes; without: common to all.")
    interval_seconds = serializers.IntegerField(
        min_value=MIN_INTERVAL_SECONDS, max_value=30 * 24 * 3600, required=False
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("url" in data) == ("text" in data):
            raise serializers.ValidationError({"url": ["Give either an url or a text."]})
        if "text" in data and ("interval_seconds" in data or data.get("kind", "text") != "text"):
            raise serializers.ValidationError({"kind": ["A text is taken in once, as a text."]})
        if "url" in data and data.get("kind") == "text":
            raise serializers.ValidationError({"kind": ["An address is read as url, page or feed."]})
        return data


class SourceRead(serializers.ModelSerializer[Source]):
    url = serializers.CharField(read_only=True)
    agent = serializers.CharField(source="agent.profile.handle", default=None, read_only=True, allow_null=True)

    class Meta:
        model = Source
        fields = [
            "id", "kind", "url", "title", "agent", "status", "problem", "interval_seconds", "due_at", "read_at",
            "content_count", "last_content", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class Balance(serializers.ModelSerializer[Account]):
    class Meta:
        model = Account
        fields = ["kind", "balance_micro"]
        read_only_fields = fields


class Balances(serializers.Serializer[Any]):
    results = Balance(many=True)


class EntryRead(serializers.ModelSerializer[LedgerEntry]):
    account = serializers.CharField(source="account.kind", read_only=True)

    class Meta:
        model = LedgerEntry
        fields = ["id", "account", "kind", "amount_micro", "idempotency_key", "created_at"]
        read_only_fields = fields
