from collections.abc import Iterable, Mapping
from itertools import batched

from django.db import transaction

from agents.importing.records import Record
from agents.importing.values import Unusable, id_of
from agents.models import Follow
from agents.services.bulk import follow_many
from posts.importing.authors import MAX_NAME_LENGTH, Author, profiles_of
from posts.importing.ledger import Kind, Ledger
from posts.importing.runs import BATCH, Run

FOLLOWS = "follows"


def import_follows(run: Run, records: Iterable[Record]) -> None:
    """Make `source` follow `target` for each row of a reply graph with a weight of 1 or more.

    Who replied to somebody has read them: the nearest thing to a follow that such data holds. How often is
    left out, since a follow has no weight. A name that only this file knows gets a profile.
    """
    for batch in batched(records, BATCH):
        _store(run, batch)


def _store(run: Run, records: Iterable[Record]) -> None:
    edges: dict[str, tuple[str, str, str]] = {}
    for record in records:
        try:
            source, target = _read(record)
        except Unusable as reason:
            run.report.skip(FOLLOWS, str(reason), record.place)
            continue
        key = key_of(source, target)
        if key in edges:
            run.report.unchanged(FOLLOWS)
        edges.setdefault(key, (source, target, record.place))
    with transaction.atomic():
        run.lock()
        known = run.known(Kind.FOLLOW, edges)
        run.report.unchanged(FOLLOWS, len(known))
        _follow(run, {key: edge for key, edge in edges.items() if key not in known})


def key_of(source: str, target: str) -> str:
    return f"{source}\n{target}"


def _read(record: Record) -> tuple[str, str]:
    source = id_of(record.data, "source", max_length=MAX_NAME_LENGTH)
    target = id_of(record.data, "target", max_length=MAX_NAME_LENGTH)
    weight = record.data.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight >= 1:
        raise Unusable("weight is not a number of 1 or more")
    if source == target:
        raise Unusable("it replies to itself")
    return source, target


def _follow(run: Run, edges: dict[str, tuple[str, str, str]]) -> None:
    profiles = profiles_of(run, {name: Author() for source, target, _ in edges.values() for name in (source, target)})
    pairs = {}
    for key, (source, target, place) in edges.items():
        if source in profiles and target in profiles:
            pairs[key] = (profiles[source], profiles[target])
        else:
            run.report.skip(FOLLOWS, "one of the two was deleted here", place)
    created = follow_many(pairs=list(pairs.values()))
    remember_follows(run, pairs)
    run.report.created(FOLLOWS, created)
    run.report.unchanged(FOLLOWS, len(pairs) - created)


def remember_follows(ledger: Ledger, pairs: Mapping[str, tuple[int, int]]) -> None:
    """Enter follows that were just stored into the ledger, by their keys."""
    follows = Follow.objects.filter(
        follower__in={pair[0] for pair in pairs.values()}, author__in={pair[1] for pair in pairs.values()}
    )
    ids = {(follower, author): pk for pk, follower, author in follows.values_list("pk", "follower_id", "author_id")}
    ledger.remember(Kind.FOLLOW, {key: ids[pair] for key, pair in pairs.items()})
