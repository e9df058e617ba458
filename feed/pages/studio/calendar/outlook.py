"""A publication's state in words, and what will happen to it next."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from feed.pages.studio.calendar.spans import dated
from posts.publishing.models import Publication
from posts.publishing.networks import network_named
from posts.publishing.networks.base import Repeat
from posts.publishing.services.outcomes import MAX_ATTEMPTS
from posts.publishing.states import OPEN, Status

WORDS = {
    Status.DRAFT: "Draft",
    Status.PENDING_APPROVAL: "Waits for you",
    Status.SCHEDULED: "Scheduled",
    Status.QUEUED: "In the queue",
    Status.SENDING: "Being sent",
    Status.UNKNOWN: "Outcome unknown",
    Status.PUBLISHED: "Published",
    Status.FAILED: "Failed",
    Status.CANCELLED: "Called off",
}
LABELS = {
    "approve": "Approve",
    "reject": "Reject",
    "publish-now": "Publish now",
    "cancel": "Call it off",
    "retry": "Try again",
    "is-out": "It is there",
    "is-not-out": "It is not there: send it again",
}


def words(publication: Publication) -> str:
    if needs_answer(publication):
        return "You have to say"
    return WORDS[Status(publication.status)]


def needs_answer(publication: Publication) -> bool:
    """Say whether only its owner can find out what became of it."""
    return publication.status == Status.UNKNOWN and publication.due_at is None


def is_movable(publication: Publication) -> bool:
    return publication.status in (Status.SCHEDULED, Status.PENDING_APPROVAL)


def actions(publication: Publication) -> Sequence[str]:
    """The decisions that a publication's state allows, the most likely first."""
    match publication.status:
        case Status.PENDING_APPROVAL:
            return ("approve", "reject")
        case Status.SCHEDULED:
            return ("publish-now", "cancel")
        case Status.FAILED:
            return ("retry", "cancel")
        case Status.UNKNOWN if needs_answer(publication):
            return ("is-out", "is-not-out")
        case status if status in OPEN:
            return ("cancel",)
    return ()


def outlook(publication: Publication, zone: ZoneInfo) -> str:
    """Say in a sentence or two what happens to a publication by itself."""
    network = network_named(publication.network)
    match publication.status:
        case Status.PENDING_APPROVAL:
            when = f"on {dated(publication.scheduled_at, zone)}" if publication.scheduled_at else "at once"
            return f"Nothing leaves the house before you approve it; then it goes out {when}."
        case Status.SCHEDULED if publication.previous_id:
            return "It follows the part before it."
        case Status.SCHEDULED:
            return f"It goes out to {network.label} by itself."
        case Status.QUEUED:
            return _queued(publication, network.label, zone)
        case Status.SENDING:
            return f"A request is on its way to {network.label}: it can no longer be called off."
        case Status.UNKNOWN:
            return _unknown(publication, network.label, zone)
        case Status.FAILED:
            return _failed(publication, network.label)
        case Status.PUBLISHED:
            return f"{network.label} accepted it."
    return "It stays here."


def _queued(publication: Publication, label: str, zone: ZoneInfo) -> str:
    handle = publication.account.handle or label
    match publication.error_class:
        case "":
            return "It goes out within seconds."
        case "needs_reconnect":
            return f"It waits until {handle} is connected to {label} again, and goes out then."
        case "rate_limited":
            return f"{label} wants no more just now: it goes out {_moment(publication.due_at, zone)}."
    return (
        f"Nothing went out. It is tried again {_moment(publication.due_at, zone)}; "
        f"that was attempt {publication.attempt} of {MAX_ATTEMPTS}."
    )


def _unknown(publication: Publication, label: str, zone: ZoneInfo) -> str:
    if needs_answer(publication):
        return (
            f"A request reached {label}, and the answer was lost. {label} cannot be asked, so look at the account "
            f"yourself: if it is there, say so; if it is not, it is sent once more."
        )
    then = "if it is certainly not, it is sent again"
    if network_named(publication.network).repeat_for(publication.account) is Repeat.KEY:
        then = "if it is not, it is sent again under the same key, which lets it appear only once"
    return (
        f"A request left and the answer was lost. We will first look whether it is there, "
        f"{_moment(publication.due_at, zone)}; {then}. It never goes out twice."
    )


def _failed(publication: Publication, label: str) -> str:
    match publication.error_class:
        case "duplicate":
            return f"{label} takes no text twice. Trying again helps once the older post is gone there."
        case "refused":
            return f"{label} refused it, so it is not out. Trying again sends the same text once more."
    return (
        f"It is certainly not out. Trying again begins anew, with up to {MAX_ATTEMPTS} attempts; nothing is sent twice."
    )


def _moment(moment: datetime | None, zone: ZoneInfo) -> str:
    return f"on {dated(moment, zone)}" if moment else "soon"
