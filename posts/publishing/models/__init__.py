from posts.publishing.models.accounts import ConnectAttempt, NetworkApp, SocialAccount
from posts.publishing.models.events import AccountEvent, PublicationEvent
from posts.publishing.models.limits import RateBucket
from posts.publishing.models.policies import PostingSlot, PublishingPolicy
from posts.publishing.models.publications import Publication

__all__ = [
    "AccountEvent",
    "ConnectAttempt",
    "NetworkApp",
    "PostingSlot",
    "Publication",
    "PublicationEvent",
    "PublishingPolicy",
    "RateBucket",
    "SocialAccount",
]
