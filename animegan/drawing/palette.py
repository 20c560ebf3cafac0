"""The colours of a face, chosen to go well together."""

from types import SimpleNamespace

# skin: its colour in the light, and in the shade
SKINS = {
    "porcelain": ((255, 241, 234), (247, 209, 204)),
    "fair": ((255, 232, 217), (245, 197, 182)),
    "peach": ((254, 221, 198), (237, 177, 154)),
    "tan": ((235, 190, 154), (205, 146, 115)),
    "brown": ((196, 139, 104), (157, 100, 77)),
    "deep": ((148, 99, 76), (110, 68, 57)),
}


def palette(face) -> SimpleNamespace:
    """All colours of a face. Shadows tend towards violet and lights towards yellow, as in painting."""
    hue, saturation, value = face.hair_hue, face.hair_saturation, face.hair_value
    skin, skin_shade = SKINS[face.skin]
    hair_line = hsv(_towards(hue, 0.72, 0.12), saturation * 0.7 + 0.22, value * 0.36 + 0.03)
    extra = face.accessory_hue
    return SimpleNamespace(
        hair=hsv(hue, saturation, value),
        hair_light=hsv(_towards(hue, 0.14, 0.05), saturation * 0.84, value + 0.1 + 0.1 * (1 - value)),
        hair_shine=hsv(_towards(hue, 0.14, 0.08), saturation * 0.5, value + 0.2 + 0.16 * (1 - value)),
        hair_dark=hsv(_towards(hue, 0.72, 0.1), saturation * 0.92 + 0.1, value * 0.72),
        hair_line=hair_line, lash=mix(hair_line, (38, 20, 30), 0.66),
        skin=skin, skin_shade=skin_shade, skin_line=mix(skin_shade, (92, 34, 38), 0.62),
        iris=hsv(face.eye_hue, face.eye_saturation, face.eye_value),
        iris_dark=hsv(_towards(face.eye_hue, 0.72, 0.1), face.eye_saturation * 0.85 + 0.15, face.eye_value * 0.4),
        iris_light=hsv(_towards(face.eye_hue, 0.14, 0.06), face.eye_saturation * 0.62, face.eye_value + 0.25),
        extra=hsv(extra, 0.62, 0.9), extra_light=hsv(extra, 0.34, 1.0),
        extra_dark=hsv(_towards(extra, 0.72, 0.1), 0.74, 0.66), extra_line=hsv(_towards(extra, 0.72, 0.12), 0.72, 0.36),
    )  # fmt: skip


def _towards(hue: float, goal: float, step: float) -> float:
    """The hue moved by at most `step` towards `goal`, the short way around the colour circle."""
    return hue + min(max((goal - hue + 0.5) % 1.0 - 0.5, -step), step)


def hsv(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    """Convert hue (any number; 1 is a full turn), saturation and value (0..1) to red, green, blue (0..255)."""
    saturation, value = min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0)
    levels = []
    for offset in (5, 3, 1):
        k = (offset + hue * 6) % 6
        level = value * (1 - saturation * max(0.0, min(k, 4 - k, 1.0)))
        levels.append(int(level * 255 + 0.5))
    return tuple(levels)


def mix(first: tuple, second: tuple, part: float) -> tuple[int, int, int]:
    """The first colour with a share of `part` (0..1) of the second."""
    share = int(part * 256 + 0.5)
    return tuple((a * (256 - share) + b * share + 128) >> 8 for a, b in zip(first, second, strict=True))
