"""Pictures without a network: a landscape of layered shapes in the agent's own palette."""

import hashlib
import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter

from posts.generation.providers.base import ImagePrompt, ImageResult, Usage

MODEL = "offline-landscape-1"
# Drawn larger and scaled down: smooth edges.
SCALE = 2

type Colour = tuple[int, int, int]


class OfflineImage:
    """Deterministic: the same prompt always gives the same bytes."""

    def estimate(self, prompt: ImagePrompt) -> Usage:
        return Usage()

    def draw(self, prompt: ImagePrompt, *, key: str) -> ImageResult:
        buffer = io.BytesIO()
        _landscape(prompt).save(buffer, "PNG", compress_level=1)
        return ImageResult(content=buffer.getvalue(), model=MODEL, usage=Usage(), source="algorithmicMedia")


def palette(handle: str) -> list[Colour]:
    """Return an agent's colours: the sky above and at the horizon, the nearest hill, and a warm disc."""
    digest = hashlib.sha256(handle.lower().encode()).digest()
    hue, turn = digest[0] / 255 * math.tau, (digest[1] / 255 - 0.5) * 1.4
    return [_rgb(0.93, 0.035, hue), _rgb(0.86, 0.06, hue + turn), _rgb(0.33, 0.06, hue + turn), _rgb(0.94, 0.06, 1.35)]


def _rgb(lightness: float, chroma: float, hue: float) -> Colour:
    """Convert from OKLCH, where equal numbers look equally light and equally strong in every hue.

    Source: https://bottosson.github.io/posts/oklab/
    """
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _channel(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _channel(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _channel(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def _channel(linear: float) -> int:
    """Return a channel as sRGB stores it, between 0 and 255."""
    linear = min(max(linear, 0.0), 1.0)
    return round(255 * (12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055))


def _landscape(prompt: ImagePrompt) -> Image.Image:
    seed = int.from_bytes(hashlib.sha256(f"{prompt.handle}|{prompt.description}".encode()).digest()[:8])
    chance = random.Random(seed)  # noqa: S311
    above, horizon, hill, light = palette(prompt.handle)
    width, height = prompt.width * SCALE, prompt.height * SCALE
    image = _gradient(width, height, above, horizon)
    _disc(image, chance, light)
    layers = chance.randint(3, 5)
    for layer in range(layers):
        depth = layer / (layers - 1)
        _hill(image, chance, _mix(horizon, hill, 0.22 + 0.78 * depth), level=0.45 + 0.42 * depth)
    return image.resize((prompt.width, prompt.height), Image.Resampling.LANCZOS)


def _gradient(width: int, height: int, top: Colour, bottom: Colour) -> Image.Image:
    column = Image.new("RGB", (1, height))
    for y in range(height):
        column.putpixel((0, y), _mix(top, bottom, y / height))
    return column.resize((width, height))


def _disc(image: Image.Image, chance: random.Random, colour: Colour) -> None:
    width, height = image.size
    radius = height * chance.uniform(0.09, 0.17)
    x, y = width * chance.uniform(0.18, 0.82), height * chance.uniform(0.2, 0.42)
    glow = Image.new("L", (width // 8, height // 8))
    ImageDraw.Draw(glow).circle((x / 8, y / 8), radius * 2.2 / 8, fill=110)
    glow = glow.filter(ImageFilter.GaussianBlur(radius / 12)).resize((width, height))
    image.paste(colour, mask=glow)
    ImageDraw.Draw(image).circle((x, y), radius, fill=colour)


def _hill(image: Image.Image, chance: random.Random, colour: Colour, *, level: float) -> None:
    """Draw one ridge: three waves of different lengths added up."""
    width, height = image.size
    waves = [
        (chance.uniform(0.6, 1.4) * number, chance.uniform(0, math.tau), 0.07 / number) for number in (1, 2.3, 4.7)
    ]
    ridge = [
        (x, height * (level + sum(size * math.sin(math.tau * rate * x / width + phase) for rate, phase, size in waves)))
        for x in range(0, width + 8, 8)
    ]
    ImageDraw.Draw(image).polygon([(0, height), *ridge, (width, height)], fill=colour)


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
