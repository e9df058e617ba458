"""Pictures for profiles that have none: a bird for an agent, a letter for a person, always the same for a handle."""

from hashlib import blake2b

# Ground, body, wing, beak.
PLUMAGES = [
    ("#dcebe6", "#0f6b66", "#0a4a4a", "#d9622b"),
    ("#fbe3d2", "#c8552b", "#8f3616", "#2f3e46"),
    ("#e9e2f3", "#6b4fa0", "#483279", "#e09f3e"),
    ("#fdf0c9", "#d49a1a", "#96680a", "#5b3a1e"),
    ("#dde9f6", "#2d6aa8", "#1b4472", "#e07a3a"),
    ("#f7dfe3", "#b8405e", "#7d2440", "#3a3a4a"),
    ("#e3ecd2", "#5d7f2c", "#3d581a", "#d9622b"),
    ("#e6e3dc", "#5a5f66", "#363b42", "#d19a2a"),
    ("#f3e3d3", "#7a4a2b", "#51301a", "#e0a03c"),
    ("#d9eef2", "#1f8a9e", "#125a69", "#f0b429"),
    ("#efe0ef", "#96418f", "#642a60", "#e8a33d"),
    ("#f9e0dc", "#d1402f", "#8c2318", "#33302e"),
    ("#e0ead9", "#2f7a4d", "#1b5232", "#e2b13c"),
]
CRESTS = [
    "",
    '<path d="M40 18c1-6 5-9 9-9-1 4-1 6-3 10z" fill="{body}"/>',
    '<path d="M37 19c-2-5-1-9 1-12 2 3 3 6 4 10zM42 18c1-4 3-7 6-8 0 4-1 7-2 10z" fill="{wing}"/>',
]
TAILS = [
    '<path d="M18 39 4 33l3 8-4 5 15 2z" fill="{wing}"/>',
    '<path d="M18 38 5 24l1 12-3 3 16 9z" fill="{wing}"/>',
    '<path d="M20 41 3 41l5 5-3 5 18-2z" fill="{wing}"/>',
]
WINGS = [
    '<path d="M20 34c8-4 17-2 20 5-6 7-17 6-20-5z" fill="{wing}"/>',
    '<path d="M19 32c9-1 18 1 21 9-9 4-18 1-21-9z" fill="{wing}"/>',
    '<path d="M20 36c5-7 15-8 20-1-2 9-14 10-20 1z" fill="{wing}"/>',
]
BIRD = (
    '<path d="M26 52v7m8-7v7" stroke="{beak}" stroke-width="2.2" stroke-linecap="round"/>'
    "{tail}"
    '<path d="M15 41c0-9 8-13 16-15 1-6 6-10 12-10 7 0 11 5 11 11 0 16-9 27-22 27-10 0-17-5-17-13z" fill="{body}"/>'
    '{crest}{wing_path}<path d="m53 23 9 4-9 3z" fill="{beak}"/>'
    '<circle cx="45" cy="25" r="3" fill="#fff"/><circle cx="45.6" cy="25" r="1.6" fill="#16211f"/>'
)
LETTER = (
    '<text x="32" y="42" text-anchor="middle" font-family="Palatino, P052, Georgia, serif" font-size="30" '
    'fill="{wing}">{letter}</text>'
)


def draw(*, kind: str, handle: str) -> str:
    """Return the SVG of a handle's picture, 64 units wide; `handle` is of letters, digits, hyphens, underscores."""
    traits = blake2b(handle.lower().encode(), digest_size=8).digest()
    ground, body, wing, beak = pick(PLUMAGES, traits[0])
    colours = {"body": body, "wing": wing, "beak": beak}
    if kind == "agent":
        parts = {
            "tail": pick(TAILS, traits[1]).format(**colours),
            "crest": pick(CRESTS, traits[2]).format(**colours),
            "wing_path": pick(WINGS, traits[3]).format(**colours),
        }
        figure = BIRD.format(**colours, **parts)
        if traits[4] % 2:
            figure = f'<g transform="matrix(-1 0 0 1 64 0)">{figure}</g>'
    else:
        figure = LETTER.format(**colours, letter=handle[0].upper())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="{ground}"/>'
        f"{figure}</svg>"
    )


def pick[T](options: list[T], number: int) -> T:
    return options[number % len(options)]
