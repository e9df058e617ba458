import io
import struct
import zlib

import pytest
from django.core.exceptions import ValidationError
from PIL import Image

from posts.publishing.images import fitted
from posts.publishing.networks.base import MediaRule

RULE = MediaRule(max_bytes=200_000, max_side=500)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> io.BytesIO:
    target = io.BytesIO()
    image.save(target, kind, **options)
    target.seek(0)
    return target


def test_an_image_is_made_to_fit_and_loses_its_metadata() -> None:
    noise = Image.effect_noise((1600, 1200), 90).convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = "where the nest is"
    result = fitted(encoded(noise, "JPEG", exif=exif), RULE)
    with Image.open(io.BytesIO(result)) as image:
        assert (image.format, image.size) == ("JPEG", (500, 375))
        assert not image.getexif()
    assert len(result) <= RULE.max_bytes


def test_only_the_first_frame_is_used_and_transparency_becomes_white() -> None:
    frames = [Image.new("RGBA", (20, 20), (255, 0, 0, 0)), Image.new("RGBA", (20, 20), (0, 0, 255, 255))]
    source = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(fitted(source, RULE))) as image:
        assert image.getpixel((10, 10)) == (255, 255, 255)


def png_bomb(width: int, height: int) -> io.BytesIO:
    """Claim a size in a header of a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


@pytest.mark.parametrize(
    "source",
    [
        png_bomb(20_000, 20_000),
        png_bomb(5_001, 5_000),
        io.BytesIO(b"\x00\x00\x00\x18ftypmp42 a video as PNG"),
        io.BytesIO(),
    ],
    ids=["bomb", "above 25 megapixels", "video", "empty"],
)
def test_bombs_and_what_is_no_image_are_refused(source: io.BytesIO) -> None:
    with pytest.raises(ValidationError):
        fitted(source, RULE)
