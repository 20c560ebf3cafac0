"""TeX formulas by matplotlib's mathtext: as text if they fit on a line of text, otherwise as a picture.

PowerPoint cannot have a picture inside a sentence. Most formulas in a sentence, such as D(G(z)), are
letters and signs on one line, with some of them lowered or raised. They become text with real sub- and
superscripts, which wraps, can be edited, and can be read by a screen reader.
"""

import functools
import io
import re

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser
from PIL import Image

from animegan.slides.model import Picture, Span, Spans
from animegan.slides.style import COLOURS, WIDTH
from animegan.slides.text_width import is_wide, joined

SIZE = 22  # points: the font size of a formula that stands alone
EDGE = 2  # points around it: slanted letters reach out of their box
MAX_WIDTH = 1.6 * WIDTH  # of a formula that is scaled down to fit; a longer one would be too small to read
DPI = 300
FONT = "stix"
# Letters that mathtext takes from its fonts' private area: calligraphic ones, and the E of an expected value.
PRIVATE = {0xE22D + n: chr(ord("A") + n) for n in range(26)} | {0xE156: "𝔼"}
# What mathtext does not know, and how it can be said in other words.
OTHER_WORDS = {
    r"\\(text)?color\s*\{\w+\}": "",
    r"\\text(bf|it|tt|sf)\{([^{}]*)\}": lambda found: f"\\math{found[1]}{{" + found[2].replace(" ", r"\ ") + "}",
    r"\\(text(rm|normal|up)|[mh]box)": r"\\text",
    r"\\(displaystyle|textstyle|(no)?limits|math(op|bin|rel)|[bB]igg?[lrm]?(?![a-zA-Z]))": "",
    r"\\xrightarrow\s*(\{[^{}]*\})": r"\\overset\1{\\longrightarrow}",
    r"\\operatorname\*": r"\\operatorname",
    r"\\arg(min|max)": r"\\operatorname{arg\\,\1}",
    r"\\not\s*=": r"\\neq",
    r"\\not\s*\\in(?![a-z])": r"\\notin",
    r"\\(bm(?![a-zA-Z])|pmb)": r"\\boldsymbol",
    r"\\stackrel": r"\\overset",
    r"\\[lr]Vert": r"\\|",
    r"\\[lr]vert": "|",
    r"\\coloneqq": ":=",
    r"\\iff": r"\\Longleftrightarrow",
    r"\\implies": r"\\Longrightarrow",
    r"\\dots([cb])": lambda found: r"\ldots" if found[1] == "c" else r"\cdots",
    # without braces
    r"\\[dt]?frac\s*(\w)\s*(\w)": r"\\frac{\1}{\2}",
    r"\\sqrt\s*(\w)": r"\\sqrt{\1}",
    r"\\(math[a-z]+|boldsymbol)(?![a-zA-Z])\s*(\\[a-zA-Z]+|\w)": r"\\\1{\2}",
    r"\\(underset|overset)\s*(\{[^{}]*\})\s*(\\[a-zA-Z]+|\w)": r"\\\1\2{\3}",
}


@functools.lru_cache(maxsize=256)
def formula_picture(tex: str) -> Picture | None:
    """A formula that stands alone, or None if mathtext cannot draw it."""
    lines = _lines(tex)
    figure, buffer = Figure(), io.BytesIO()
    try:
        if max(_parse(line).width for line in lines) > MAX_WIDTH:
            return None
        source, colour = "\n".join(map(_for_mathtext, lines)), f"#{COLOURS['ink']}"
        figure.text(0, 0, source, fontsize=SIZE, math_fontfamily=FONT, color=colour)
        figure.savefig(buffer, format="png", dpi=DPI, transparent=True, bbox_inches="tight", pad_inches=EDGE / 72)
    except Exception:  # mathtext raises many exception types for what it cannot draw
        return None
    width, height = (side * 72 / DPI for side in Image.open(buffer).size)
    tex = tex.strip()
    return Picture(buffer.getvalue(), "png", width, height, alt=f"formula: {tex}", tex=tex)


@functools.lru_cache(maxsize=1024)
def formula_text(tex: str) -> Spans | None:
    """A formula as text in italics with sub- and superscripts; None if it cannot be written like that.

    mathtext returns glyphs with their sizes and positions. A glyph in full size belongs to the line if it stands
    on the baseline. A smaller one is a superscript or a subscript if it is a little above or below the baseline.
    Two glyphs that overlap (an accent, one limit above another), or a rule (of a fraction, of a root) cannot be
    written on one line. Gaps between glyphs become spaces.
    """
    tex = re.sub(r"\\[dt]?frac\s*(?:\{(\w+)\}\{(\w+)\}|(\w)\s*(\w))", r"\1\3/\2\4", tex)  # a half is 1/2 in a sentence
    try:
        parsed = _parse(tex)
        if parsed.rects:  # the rule of a fraction or of a root
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
            is_italic, is_bold = "Italic" in font.postscript_name, "Bold" in font.postscript_name
            spans.append(Span(letter, is_bold, is_italic, math=True, script=script))
            font.set_size(size, 72)
            end = left + font.load_char(code).linearHoriAdvance / 65536
        return joined(spans)
    except Exception:  # as above
        return None


def _lines(tex: str) -> list[str]:
    """The lines of `\\begin{align} a &= b \\\\ c &= d \\end{align}` and the like, without the alignment marks."""
    tex = re.sub(r"\\(begin|end)\{(align|aligned|equation|gather|gathered|split|eqnarray)\*?\}", " ", tex)
    tex = re.sub(r"\\(label|tag)\{[^}]*\}|\\(nonumber|notag)\b|(?<!\\)&", " ", tex)
    return [" ".join(line.split()) for line in tex.split(r"\\") if line.strip()]


def _parse(tex: str):
    if any(map(is_wide, tex)):
        raise ValueError("mathtext's fonts have no Chinese")
    return MathTextParser("path").parse(_for_mathtext(tex), 72, FontProperties(size=SIZE, math_fontfamily=FONT))


def _for_mathtext(tex: str) -> str:
    """TeX with what mathtext does not know in other words: `\\frac12`, `\\mathbf x`, `\\textrm{...}`, `\\lVert`, ..."""
    tex = " ".join(tex.split())
    for pattern, other in OTHER_WORDS.items():
        tex = re.sub(pattern, other, tex)
    return f"${tex}$"
