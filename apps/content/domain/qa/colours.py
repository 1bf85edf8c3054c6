"""Contrast of two colours as WCAG 2.2 defines it."""

import re

_HEX = re.compile(r"^#([0-9a-f]{3}|[0-9a-f]{6})$", re.IGNORECASE)
_RGB = re.compile(r"^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$", re.IGNORECASE)
_NAMED = {
    "black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#008000", "blue": "#0000ff",
    "gray": "#808080", "grey": "#808080", "silver": "#c0c0c0", "navy": "#000080", "yellow": "#ffff00",
    "orange": "#ffa500", "purple": "#800080", "maroon": "#800000", "teal": "#008080", "lime": "#00ff00",
    "aqua": "#00ffff", "fuchsia": "#ff00ff", "olive": "#808000", "lightgray": "#d3d3d3", "lightgrey": "#d3d3d3",
    "darkgray": "#a9a9a9", "darkgrey": "#a9a9a9",
}  # fmt: skip
Colour = tuple[int, int, int]


def parse_colour(text: str) -> Colour | None:
    """Return a colour written as #rgb, #rrggbb, rgb(r, g, b) or one of the common names; None for anything else."""
    text = _NAMED.get(text.strip().lower(), text.strip()).split("!")[0].strip()
    if found := _HEX.match(text):
        digits = found[1] if len(found[1]) == 6 else "".join(each * 2 for each in found[1])
        return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
    if found := _RGB.match(text):
        parts = tuple(int(each) for each in found.groups())
        return (parts[0], parts[1], parts[2]) if max(parts) <= 255 else None
    return None


def luminance(colour: Colour) -> float:
    """Return the relative luminance of a colour, 0 black to 1 white (WCAG 2.2, definition of relative luminance)."""
    red, green, blue = (
        part / 12.92 if (part := each / 255) <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for each in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_of(one: Colour, other: Colour) -> float:
    """Return the contrast of two colours: 1 to 21 (WCAG 2.2, definition of contrast ratio)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
