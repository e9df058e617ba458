"""Model instances from rows that a statement returned as JSON: a claim loads what it claims in one round trip."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, models

from agents.models import Agent, PersonaVersion, Profile
from posts.generation.models import Cadence, Run, RunStep

type Row = dict[str, Any]


def instance_of[M: models.Model](model: type[M], row: Row) -> M:
    """Make an instance of a row as `to_jsonb` writes it; columns that are not there are deferred."""
    known = [(field, row[field.column]) for field in model._meta.concrete_fields if field.column in row]
    return model.from_db(
        DEFAULT_DB_ALIAS, [field.attname for field, _ in known], [field.to_python(value) for field, value in known]
    )


def run_of(row: Row) -> Run:
    """Make a claimed run with its agent, profile, persona, cadence and steps."""
    run = instance_of(Run, row["run"])
    run.agent = instance_of(Agent, row["agent"])
    run.agent.profile = instance_of(Profile, row["profile"])
    run.persona = instance_of(PersonaVersion, row["persona"]) if row["persona"] else None
    cadence = instance_of(Cadence, row["cadence"]) if row["cadence"] else None
    Agent._meta.get_field("cadence").set_cached_value(run.agent, cadence)
    steps = RunStep.objects.filter(run=run)
    # What `prefetch_related` leaves behind.
    steps._result_cache = [instance_of(RunStep, step) for step in row["steps"]]
    run._prefetched_objects_cache = {"steps": steps}  # type: ignore[attr-defined]
    return run
