"""How much room a text takes: measured before it is laid out, so that nothing is cut off.

Measured with DejaVu Sans, which comes with matplotlib and is the same on every machine. It is about a tenth
wider than Arial and Consolas, in which the slides are shown: that tenth is the margin for a machine that has
neither. A Chinese character is as wide as it is high in every font.
"""

import functools
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import NamedTuple

import matplotlib
from PIL import ImageFont

from animegan.slides.model import Span, Spans

UNIT = 100  # font size at which the font is measured
SCRIPT = 0.67  # relative font size of a sub- or superscript
EMOJI_WIDTH = 1.4  # times the font size, in the fonts of Windows and macOS
NOT_FIRST = frozenset("，。、；：？！）》」』】〉〕”’…—·％,.;:?!)]}%")  # may not start a line
NOT_LAST = frozenset("（《「『【〈〔“‘([{")  # may not end one


@functools.lru_cache(maxsize=20_000)
def is_wide(letter: str) -> bool:
    """Whether it is a Chinese character, Chinese punctuation, or an emoji."""
    return letter > "\u1100" and unicodedata.east_asian_width(letter) in "WF"


@functools.lru_cache(maxsize=20_000)
def width(text: str, size: float, bold: bool = False, mono: bool = False, is_chinese: bool = False) -> float:
    """Points that a text takes on one line. In Chinese text, quotation marks and dashes are wide too."""
    ems, narrow = 0.0, ""
    for letter in text:
        is_ambiguous = letter > "\u2000" and unicodedata.east_asian_width(letter) == "A"
        if is_wide(letter) or (is_chinese and is_ambiguous):
            ems += EMOJI_WIDTH if "\U0001f000" < letter < "\U00020000" else 1
        else:
            narrow += letter
    return size * (ems + _font(bold, mono).getlength(narrow) / UNIT)


@functools.cache
def _font(bold: bool, mono: bool):
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"DejaVuSans{'Mono' * mono}{'-Bold' * bold}.ttf"
    return ImageFont.truetype(str(path), UNIT, layout_engine=ImageFont.Layout.BASIC)


class Chunk(NamedTuple):
    """Text without a place for a line break. `width`, and `visible` (without the spaces at its end), in multiples
    of the font size."""

    spans: Spans
    width: float
    visible: float

    def ends_line(self) -> bool:
        return self.spans[-1].text.endswith("\n")

    def ends_word(self) -> bool:
        return self.spans[-1].text[-1].isspace()


@functools.lru_cache(maxsize=20_000)
def chunks(spans: Spans) -> tuple[Chunk, ...]:
    """The pieces of a paragraph between the places where a line may break."""
    letters = [(letter, span) for span in spans for letter in span.text]
    is_chinese = any(is_wide(letter) for letter, _ in letters)
    breaks = [n for n, ((before, _), (after, _)) in enumerate(pairwise(letters), 1) if _may_break(before, after)]
    pieces = []
    for start, end in pairwise([0, *breaks, len(letters)] if letters else []):
        runs = groupby(letters[start:end], lambda pair: pair[1])
        pieces.append(tuple(replace(span, text="".join(letter for letter, _ in run)) for span, run in runs))
    return tuple(_chunk(piece, is_chinese) for piece in pieces)


def _chunk(spans: Spans, is_chinese: bool) -> Chunk:
    last = replace(spans[-1], text=spans[-1].text.rstrip())
    *before, ending, shown = [
        width(span.text, SCRIPT if span.script else 1, span.bold, span.code, is_chinese) for span in (*spans, last)
    ]
    return Chunk(spans, sum(before) + ending, sum(before) + shown)


def wrap(spans: Spans, size: float, room: float) -> list[Spans]:
    """Break a paragraph into lines of at most `room` points; `joined(chain(*lines))` is the paragraph again.

    Lines break where PowerPoint and browsers break them: after spaces and hyphens, between Chinese characters,
    and inside a word only if it is longer than a line.
    """
    lines: list[list[Span]] = [[]]
    used, limit = 0.0, room / size
    for chunk in chunks(spans):
        parts = (chunk,)
        if chunk.visible > limit:
            parts = _letters(chunk)
            used = limit + 1 if lines[-1] else 0.0  # a word longer than a line starts on a line of its own
        for part in parts:
            if lines[-1] and used + part.visible > limit:
                lines.append([])
                used = 0.0
            lines[-1] += part.spans
            used += part.width
        if chunk.ends_line():
            lines.append([])
            used = 0.0
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return [joined(line) for line in lines]


@functools.lru_cache(maxsize=1000)
def _letters(chunk: Chunk) -> tuple[Chunk, ...]:
    letters = (replace(span, text=letter) for span in chunk.spans for letter in span.text)
    return tuple(_chunk((letter,), is_chinese=True) for letter in letters)


def joined(spans: Iterable[Span]) -> Spans:
    """Neighbours in the same format become one span."""
    runs = groupby(spans, lambda span: replace(span, text=""))
    return tuple(replace(formatting, text="".join(span.text for span in run)) for formatting, run in runs)


def _may_break(before: str, after: str) -> bool:
    if before == "\n":
        return True
    if after in " \t\n":
        return False
    if before in " \t" or (before == "-" and after.isalpha()):
        return True
    return (is_wide(before) or is_wide(after)) and after not in NOT_FIRST and before not in NOT_LAST
