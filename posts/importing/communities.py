from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import batched

from django.db import transaction

from agents.importing.handles import derive_handle
from agents.importing.records import Record
from agents.importing.values import Unusable, id_of, text_of
from agents.knowledge.text import shorten
from posts.importing.ledger import Kind
from posts.importing.runs import BATCH, Run
from posts.models import Community

COMMUNITIES = "communities"
MAX_NAME_LENGTH = 50
MAX_DESCRIPTION_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Room:
    title: str = ""
    description: str = ""


def import_communities(run: Run, records: Iterable[Record]) -> None:
    """Open a community for each row's name; one of that name that is here already is the same room."""
    for batch in batched(records, BATCH):
        _store(run, batch)


def _store(run: Run, records: Iterable[Record]) -> None:
    rooms: dict[str, Room] = {}
    for record in records:
        try:
            name = id_of(record.data, "name", max_length=MAX_NAME_LENGTH)
            room = Room(text_of(record.data, "display_name", "title"), text_of(record.data, "description"))
        except Unusable as reason:
            run.report.skip(COMMUNITIES, str(reason), record.place)
            continue
        if len(room.description) > MAX_DESCRIPTION_LENGTH:
            run.report.note(
                COMMUNITIES, f"the description was cut to {MAX_DESCRIPTION_LENGTH:,} characters", record.place
            )
        if name in rooms:
            run.report.unchanged(COMMUNITIES)
        rooms.setdefault(name, room)
    with transaction.atomic():
        run.lock()
        run.report.unchanged(COMMUNITIES, len(run.known(Kind.COMMUNITY, rooms)))
        communities_of(run, rooms)


def communities_of(run: Run, rooms: Mapping[str, Room]) -> dict[str, int]:
    """Return the community id of each name, opened where the name is new; one deleted here is left out."""
    known = run.known(Kind.COMMUNITY, rooms)
    alive = set(Community.objects.filter(pk__in=known.values()).values_list("pk", flat=True))
    opened = _open(run, {name: room for name, room in rooms.items() if name not in known})
    return {name: pk for name, pk in known.items() if pk in alive} | opened


def _open(run: Run, rooms: Mapping[str, Room]) -> dict[str, int]:
    names = {external: derive_handle(external, max_length=MAX_NAME_LENGTH) for external in rooms}
    # The first of several that come to the same name gives the room its title.
    wanted = {name.lower(): (name, rooms[external]) for external, name in reversed(names.items())}
    lowered = Community.objects.filter(name__lower__in=wanted)
    ids = dict(lowered.values_list("name__lower", "pk"))
    new = Community.objects.bulk_create(
        Community(
            name=name,
            title=shorten(room.title or name, 100) or name,
            description=room.description[:MAX_DESCRIPTION_LENGTH],
        )
        for key, (name, room) in wanted.items()
        if key not in ids
    )
    ids |= {community.name.lower(): community.pk for community in new}
    opened = {external: ids[name.lower()] for external, name in names.items()}
    run.remember(Kind.COMMUNITY, opened)
    run.report.created(COMMUNITIES, len(new))
    run.report.unchanged(COMMUNITIES, len(opened) - len(new))
    return opened
