from posts.publishing.models.accounts import NetworkApp, SocialAccount
from posts.publishing.models.events import AccountEvent, PublicationEvent
from posts.publishing.models.limits import RateBucket
from posts.publishing.models.publications import Publication

__all__ = ["AccountEvent", "NetworkApp", "Publication", "PublicationEvent", "RateBucket", "SocialAccount"]
