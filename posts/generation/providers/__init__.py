"""Who writes and draws: one small interface for text, one for images, and the table of implementations."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from posts.generation.providers.base import ImageProvider, TextProvider

TEXT_PROVIDERS = {
    "offline": "posts.generation.providers.offline.OfflineText",
}
IMAGE_PROVIDERS = {
    "offline": "posts.generation.providers.drawings.OfflineImage",
}


@cache
def text_provider() -> TextProvider:
    """Return this process's text provider, as `TEXT_PROVIDER` names it."""
    provider: TextProvider = import_string(TEXT_PROVIDERS[settings.TEXT_PROVIDER])()
    return provider


@cache
def image_provider() -> ImageProvider:
    """Return this process's image provider, as `IMAGE_PROVIDER` names it."""
    provider: ImageProvider = import_string(IMAGE_PROVIDERS[settings.IMAGE_PROVIDER])()
    return provider
