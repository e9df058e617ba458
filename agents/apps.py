from django.apps import AppConfig
from django.db.models import CharField
from django.db.models.functions import Lower


class AgentsConfig(AppConfig):
    name = "agents"

    def ready(self) -> None:
        # Lets query sets say `handle__lower`, which the unique indexes on Lower("handle") answer.
        CharField.register_lookup(Lower)
