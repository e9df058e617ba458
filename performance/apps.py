from django.apps import AppConfig


class PerformanceConfig(AppConfig):
    name = "performance"

    def ready(self) -> None:
        from performance import checks  # noqa: F401
        from performance.prepared.read import compile_all

        # The others compile where they are declared.
        compile_all()
