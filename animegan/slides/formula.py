"""TeX formulas by matplotlib's mathtext: as text where they fit on a line of text, else as a picture.

PowerPoint cannot have a picture inside a sentence. Most formulas in a sentence, such as D(G(z)), are
letters and signs on one line with some of them lowered or raised: they become text with real sub- and
superscripts, which wraps, can be edited and is read aloud.
"""

from __future__ import annotations

import functools
import io
import re

from animegan.slides.model import Picture, Span, Spans
from animegan.slides.style import COLOURS, WIDTH
from animegan.slides.text_width import is_wide, joined

SIZE = 22  # points of a formula that stands alone
LINE_GAP = 10  # points between the lines of one that has several
EDGE = 2  # points around it: slanted letters reach out of their box
MAX_WIDTH = 1.6 * WIDTH  # of one that is made smaller to fit; a longer one cannot be read
DPI = 300
FONT = "stix"
# Letters that mathtext takes from its fonts' private area: calligraphic ones, and the E of an expected value.
PRIVATE = {0xE22D + n: chr(ord("A") + n) for n in range(26)} | {0xE156: "𝔼"}


@functools.lru_cache(maxsize=256)
def formula_picture(tex: str) -> Picture | None:
    """A formula by itself; None if mathtext cannot do it. Of several lines, each is set by itself."""
    lines = _lines(tex)
    try:
        return _draw(lines, tex) if lines else None
    except Exception:  # of what mathtext cannot do, it tells in many ways
        return None


@functools.lru_cache(maxsize=1024)
def formula_text(tex: str) -> Spans | None:
    """A formula as text in italics with sub- and superscripts; None if it takes more than that."""
    tex = re.sub(r"\\[dt]?frac\s*(?:\{(\w+)\}\{(\w+)\}|(\w)\s*(\w))", _slashed, tex)
    try:
        parsed, fonts = _parse(tex), {}
        if parsed.rects:  # a fraction, a root
            return None
        spans: list[Span] = []
        end, script = 0.0, 0
        baseline = next(up for _, size, *_, up in parsed.glyphs if size > 0.9 * SIZE)
        for font, size, code, *_, left, height in parsed.glyphs:
            up = height - baseline
            before, script = script, 0 if size > 0.9 * SIZE else 1 if up > 0 else -1
            turns = script and before == -script  # in x_1^2 the 2 is above the 1
            is_in_line = abs(up) < 0.6 * SIZE and size > 0.65 * SIZE if script else abs(up) < 0.02 * SIZE
            letter = PRIVATE.get(code, chr(code))
            if not is_in_line or (left < end - 0.15 * SIZE and not turns) or not letter.isprintable():
                return None
            if spans and left > end + 0.12 * SIZE and not turns:
                spans.append(Span("\xa0", math=True, script=script if script == before else 0))
            spans.append(Span(letter, math=True, italic="Italic" in font.postscript_name, script=script))
            end = left + _advance(font, size, code, fonts)
        return joined(spans)
    except Exception:
        return None


def _slashed(fraction: re.Match) -> str:
    """In a sentence a half is 1/2: a bar would make the line higher, or the formula a picture."""
    above, below = (part for part in fraction.groups() if part)
    return f"{above}/{below}"


def _advance(font, size: float, code: int, fonts: dict) -> float:
    key = font.postscript_name, size, code
    if key not in fonts:
        font.set_size(size, 72)
        fonts[key] = font.load_char(code).linearHoriAdvance / 65536
    return fonts[key]


def _lines(tex: str) -> list[str]:
    """The lines of `\\begin{align} a &= b \\\\ c &= d \\end{align}` and the like, without what aligns them."""
    tex = re.sub(r"\\(begin|end)\{(align|aligned|equation|gather|gathered|split|eqnarray)\*?\}", " ", tex)
    tex = re.sub(r"\\(label|tag)\{[^}]*\}|\\(nonumber|displaystyle|notag)\b|(?<!\\)&", " ", tex)
    return [" ".join(line.split()) for line in tex.split(r"\\") if line.strip()]


def _parse(tex: str):
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser

    if any(map(is_wide, tex)):
        raise ValueError("mathtext's fonts have no Chinese")
    return MathTextParser("path").parse(_for_mathtext(tex), 72, FontProperties(size=SIZE, math_fontfamily=FONT))


def _for_mathtext(tex: str) -> str:
    """TeX with the shorthands written out that mathtext does not know: `\\frac12`, `\\sqrt2`, `\\big(`."""
    tex = re.sub(r"\\[dt]?frac\s*(\w)\s*(\w)", r"\\frac{\1}{\2}", " ".join(tex.split()))
    tex = re.sub(r"\\sqrt\s*(\w)", r"\\sqrt{\1}", tex)
    tex = re.sub(r"\\[bB]igg?[lrm]?(?![a-zA-Z])", "", tex)
    return f"${tex}$"


def _draw(lines: list[str], tex: str) -> Picture:
    from matplotlib.figure import Figure

    parsed = [_parse(line) for line in lines]
    width = 2 * EDGE + max(line.width for line in parsed)
    if width > MAX_WIDTH:
        raise ValueError("too long to be read on a slide")
    height = 2 * EDGE + sum(line.height for line in parsed) + LINE_GAP * (len(lines) - 1)
    figure = Figure(figsize=(width / 72, height / 72))
    top = height - EDGE
    for line, source in zip(parsed, lines, strict=True):
        baseline = top - (line.height - line.depth)
        place = EDGE / width, baseline / height
        figure.text(*place, _for_mathtext(source), fontsize=SIZE, math_fontfamily=FONT, color=f"#{COLOURS['ink']}")
        top -= line.height + LINE_GAP
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, transparent=True)
    tex = tex.strip()
    return Picture(buffer.getvalue(), "png", float(width), float(height), alt=f"formula: {tex}", tex=tex)
