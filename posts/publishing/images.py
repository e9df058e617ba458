"""Make an image fit what a network takes: bounded, upright, still, without metadata."""

import io
from typing import IO

from django.core.exceptions import ValidationError
from PIL import Image, ImageOps, UnidentifiedImageError

from posts.publishing.networks.base import MediaRule

MAX_PIXELS = 25_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
QUALITIES = (88, 76, 60, 45)


def fitted(source: IO[bytes], rule: MediaRule) -> bytes:
    """Re-encode the first frame of an image as a JPEG within a network's limits.

    Raises `ValidationError` for what is no image, one of more than 25 megapixels, or one that cannot be made
    small enough.
    """
    try:
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValidationError("The image has more than 25 megapixels.", code="image_too_large")
            # Decodes a JPEG at a fraction of its size where that is enough, before it takes any memory.
            image.draft("RGB", (rule.max_side, rule.max_side))
            image.seek(0)
            picture = ImageOps.exif_transpose(image)
            picture.thumbnail((rule.max_side, rule.max_side))
            return _encoded(_on_white(picture), rule.max_bytes)
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValidationError("This is not a JPEG, PNG, WebP or GIF image.", code="not_an_image") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ValidationError("The image is broken.", code="broken_image") from error


def _on_white(picture: Image.Image) -> Image.Image:
    """Lay transparent images on white: JPEG has no transparency, and black would show through."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return picture.convert("RGB")


def _encoded(picture: Image.Image, max_bytes: int) -> bytes:
    for quality in QUALITIES:
        target = io.BytesIO()
        picture.save(target, "JPEG", quality=quality, optimize=True)
        if target.tell() <= max_bytes:
            return target.getvalue()
    picture = picture.resize((max(picture.width // 2, 1), max(picture.height // 2, 1)))
    if picture.width * picture.height < 10_000:
        raise ValidationError("The image cannot be made small enough.", code="image_too_large")
    return _encoded(picture, max_bytes)
