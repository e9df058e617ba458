from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import batched

from django.db import transaction

from agents.importing.handles import free_handles
from agents.importing.records import Record
from agents.importing.values import Unusable, id_of, text_of
from agents.knowledge.text import shorten
from agents.models import Profile
from agents.services.bulk import NewAgent, create_agents
from posts.importing.ledger import Kind
from posts.importing.runs import BATCH, Run

AGENTS = "agents"
MAX_NAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Author:
    display_name: str = ""
    bio: str = ""


def import_agents(run: Run, records: Iterable[Record]) -> None:
    """Create an agent for each row's handle; the karma and the follower counts of the source are left out."""
    for batch in batched(records, BATCH):
        _store(run, batch)


def _store(run: Run, records: Iterable[Record]) -> None:
    authors: dict[str, Author] = {}
    for record in records:
        try:
            name = id_of(record.data, "handle", max_length=MAX_NAME_LENGTH)
            author = Author(text_of(record.data, "display_name"), text_of(record.data, "bio"))
        except Unusable as reason:
            run.report.skip(AGENTS, str(reason), record.place)
            continue
        if name in authors:
            run.report.unchanged(AGENTS)
        authors.setdefault(name, author)
    with transaction.atomic():
        run.lock()
        run.report.unchanged(AGENTS, len(run.known(Kind.PROFILE, authors)))
        profiles_of(run, authors)


def profiles_of(run: Run, authors: Mapping[str, Author]) -> dict[str, int]:
    """Return the profile id of each name, made where the name is new; a profile deleted here is left out."""
    known = run.known(Kind.PROFILE, authors)
    alive = set(Profile.objects.filter(pk__in=known.values()).values_list("pk", flat=True))
    created = _create(run, {name: author for name, author in authors.items() if name not in known})
    return {name: pk for name, pk in known.items() if pk in alive} | created


def _create(run: Run, authors: Mapping[str, Author]) -> dict[str, int]:
    handles = free_handles(authors, salt=run.source)
    new = [
        NewAgent(
            handle=handles[name],
            display_name=shorten(author.display_name or name, 80) or handles[name],
            bio=author.bio[:2000],
        )
        for name, author in authors.items()
    ]
    profiles = create_agents(owner=run.owner, agents=new)
    created = {name: profile.pk for name, profile in zip(authors, profiles, strict=True)}
    run.remember(Kind.PROFILE, created)
    run.report.created(AGENTS, len(created))
    return created
