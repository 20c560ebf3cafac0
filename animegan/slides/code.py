"""Program text in colours, and what programs print."""

import re

from pygments import lex
from pygments.lexers import get_lexer_by_name
from pygments.token import Token
from pygments.util import ClassNotFound

from animegan.slides.model import Span, Spans
from animegan.slides.text_width import joined

TOKEN_COLOURS = {
    "comment": {Token.Comment},
    "keyword": {Token.Keyword, Token.Operator.Word},
    "string": {Token.Literal.String},
    "number": {Token.Literal.Number},
    "name": {Token.Name.Function, Token.Name.Class, Token.Name.Decorator},
}
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]")
MAX_LINES = 60  # of an output: a log of thousands of lines is not a slide
FIRST_LINES, LAST_LINES = 40, 15  # what is shown of a longer one


def program_lines(source: str, language: str) -> tuple[Spans, ...]:
    """A program, line by line, in colours if Pygments knows the language."""
    source = source.strip("\n").expandtabs(4)
    try:
        tokens = lex(source, get_lexer_by_name(language, stripnl=False, ensurenl=False))
    except ClassNotFound:
        return _plain_lines(source)
    lines: list[list[Span]] = [[]]
    for kind, text in tokens:
        colour = next((name for name, families in TOKEN_COLOURS.items() if families & set(kind.split())), "")
        for n, part in enumerate(text.split("\n")):
            if n:
                lines.append([])
            if part:
                lines[-1].append(Span(CONTROL.sub("", part), code=True, colour=colour))
    return tuple(map(joined, lines))


def printed_lines(text: str) -> tuple[Spans, ...]:
    """An output as a terminal shows it: without colours, and only the last state of a progress bar.

    If it is longer than `MAX_LINES`, its beginning and its end, with a line between them that says so.
    """
    shown = [CONTROL.sub("", line.rstrip("\r").rpartition("\r")[2]) for line in text.strip("\n").split("\n")]
    lines = _plain_lines("\n".join(line.rstrip() for line in shown).expandtabs(8))
    if len(lines) <= MAX_LINES:
        return lines
    left_out = len(lines) - FIRST_LINES - LAST_LINES
    message = Span(f"... {left_out:,} lines left out ...", code=True, italic=True, colour="note")
    return (*lines[:FIRST_LINES], (message,), *lines[-LAST_LINES:])


def _plain_lines(text: str) -> tuple[Spans, ...]:
    return tuple((Span(line, code=True),) if line else () for line in text.split("\n"))
