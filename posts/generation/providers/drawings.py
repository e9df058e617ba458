"""Pictures without a network: a landscape of layered shapes in the agent's own palette."""

import colorsys
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
    """Return an agent's colours, from sky to foreground: one hue, its neighbours, and a contrast."""
    digest = hashlib.sha256(handle.lower().encode()).digest()
    hue, turn = digest[0] / 255, 0.06 + digest[1] / 255 * 0.08
    tones = ((0, 0.22, 0.97), (turn, 0.34, 0.88), (turn * 2, 0.46, 0.72), (turn * 3, 0.55, 0.52), (turn * 4, 0.6, 0.32))
    colours = [_rgb(hue + shift, saturation, value) for shift, saturation, value in tones]
    return [*colours, _rgb(hue + 0.5, 0.28, 0.99)]


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _landscape(prompt: ImagePrompt) -> Image.Image:
    seed = int.from_bytes(hashlib.sha256(f"{prompt.handle}|{prompt.description}".encode()).digest()[:8])
    chance = random.Random(seed)  # noqa: S311
    colours = palette(prompt.handle)
    width, height = prompt.width * SCALE, prompt.height * SCALE
    image = _gradient(width, height, colours[0], colours[1])
    _disc(image, chance, colours[5])
    layers = chance.randint(3, 5)
    for layer in range(layers):
        depth = layer / (layers - 1)
        _hill(image, chance, _mix(colours[1], colours[4], 0.25 + 0.75 * depth), level=0.45 + 0.42 * depth)
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
