from django.apps import AppConfig


class GenerationConfig(AppConfig):
    name = "posts.generation"

    def ready(self) -> None:
        from posts.generation import readiness  # noqa: F401
