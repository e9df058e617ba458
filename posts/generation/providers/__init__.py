"""Who writes and draws: one small interface for text, one for images, and the table of implementations."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from posts.generation.providers.base import ImageProvider, TextProvider

TEXT_PROVIDERS = {
    "offline": "posts.generation.providers.offline.OfflineText",
    "openai": "posts.generation.providers.openai_compatible.OpenAIText",
}
IMAGE_PROVIDERS = {
    "offline": "posts.generation.providers.drawings.OfflineImage",
    "openai": "posts.generation.providers.openai_compatible.OpenAIImage",
}


@cache
def text_provider() -> TextProvider:
    """Return this process's text provider, by its name in the table or its dotted path in `TEXT_PROVIDER`."""
    provider: TextProvider = import_string(TEXT_PROVIDERS.get(settings.TEXT_PROVIDER, settings.TEXT_PROVIDER))()
    return provider


@cache
def image_provider() -> ImageProvider:
    """Return this process's image provider, by its name in the table or its dotted path in `IMAGE_PROVIDER`."""
    provider: ImageProvider = import_string(IMAGE_PROVIDERS.get(settings.IMAGE_PROVIDER, settings.IMAGE_PROVIDER))()
    return provider


def forget() -> None:
    """Make new providers the next time they are needed: when the settings changed."""
    text_provider.cache_clear()
    image_provider.cache_clear()
