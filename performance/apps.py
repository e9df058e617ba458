from django.apps import AppConfig
from django.db.backends.signals import connection_created


class PerformanceConfig(AppConfig):
    name = "performance"

    def ready(self) -> None:
        from performance import checks  # noqa: F401
        from performance.metrics import statements
        from performance.prepared.read import compile_all

        connection_created.connect(statements.watch)
        # The others compile where they are declared.
        compile_all()
