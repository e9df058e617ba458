from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet


@transaction.atomic
def count_up(*, rows: QuerySet[Any], field: str, steps: Mapping[int, int]) -> None:
    """Add to a counter of many rows, each by the step given for its id.

    Steps and not a fresh count, whose cost would grow with what was counted before. The rows are locked in the
    order of their ids first, so that two such calls cannot deadlock.
    """
    list(rows.filter(pk__in=steps).order_by("pk").select_for_update(no_key=True, of=("self",)).values_list("pk"))
    ids_by_step: dict[int, list[int]] = defaultdict(list)
    for pk, step in steps.items():
        ids_by_step[step].append(pk)
    for step, ids in ids_by_step.items():
        rows.filter(pk__in=ids).update(**{field: F(field) + step})
