from posts.publishing.models.accounts import ConnectAttempt, NetworkApp, SocialAccount
from posts.publishing.models.events import AccountEvent, PublicationEvent
from posts.publishing.models.limits import RateBucket
from posts.publishing.models.metrics import AnalyticsSummary, LatestFigures, MetricSample
from posts.publishing.models.policies import PostingSlot, PublishingPolicy
from posts.publishing.models.publications import Publication
from posts.publishing.models.recurring import Occurrence, RecurringPost
from posts.publishing.models.webhooks import WebhookDelivery, WebhookEndpoint

__all__ = [
    "AccountEvent",
    "AnalyticsSummary",
    "ConnectAttempt",
    "LatestFigures",
    "MetricSample",
    "NetworkApp",
    "Occurrence",
    "PostingSlot",
    "Publication",
    "PublicationEvent",
    "PublishingPolicy",
    "RateBucket",
    "RecurringPost",
    "SocialAccount",
    "WebhookDelivery",
    "WebhookEndpoint",
]
