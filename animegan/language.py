"""The language of what a student reads: English, or Chinese in the notebooks of folder zh and where ANIMEGAN_LANG=zh.

All sources are English. `translated` looks up the finished text in a catalogue, zh.po, in which {} stands for whatever
was filled in, so that no other code needs to know about languages. A text that is not in it stays English.
"""

import functools
import os
import re
from pathlib import Path


def language() -> str:
    """The code of the language, "en" or "zh": the variable ANIMEGAN_LANG, else the folder in which a notebook runs."""
    if chosen := os.environ.get("ANIMEGAN_LANG"):
        return chosen[:2].lower()  # zh for zh_CN, too
    try:
        return "zh" if Path.cwd().name == "zh" else "en"
    except OSError:  # the folder has been deleted
        return "en"


def translated(text: str) -> str:
    """The text in that language; what was filled in is translated as well, where the catalogue has it."""
    exact, patterns = _catalogue(language())
    if text in exact:
        return exact[text]
    for pattern, translation in patterns:
        if match := pattern.fullmatch(text):
            return _filled(translation, [translated(part) for part in match.groups()])
    return text


def _filled(text: str, parts: list[str]) -> str:
    """The text with the parts in place of {}, or of {0}, {1} if the translation has another order."""
    numbers = iter(range(len(parts)))
    return re.sub(r"\{(\d*)\}", lambda place: parts[int(place[1] or next(numbers))], text)


@functools.cache
def _catalogue(code: str) -> tuple[dict[str, str], list[tuple[re.Pattern, str]]]:
    """The texts that are found as they are, and those with {}, the most specific first."""
    path = Path(__file__).with_name(f"{code}.po")
    if not path.is_file():  # English has none, and does not wait for Babel
        return {}, []
    try:
        from babel.messages.pofile import read_po  # comes with JupyterLab
    except ImportError:  # a machine that only trains
        return {}, []
    with open(path, "rb") as file:
        texts = {str(entry.id): str(entry.string) for entry in read_po(file) if entry.id and entry.string}
    exact = {text: translation for text, translation in texts.items() if "{}" not in text}
    ordered = sorted(texts.keys() - exact, key=lambda text: (text.startswith("{}"), -len(text), text))
    patterns = []
    for text in ordered:
        pattern = "(.+?)".join(map(re.escape, text.split("{}")))
        if text.startswith("{}"):  # what comes first is one thing, not the first of several
            pattern = pattern.replace("(.+?)", "([^;]+?)", 1)
        patterns.append((re.compile(pattern, re.DOTALL), texts[text]))
    return exact, patterns
