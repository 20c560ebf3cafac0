"""The Chinese notebooks: nothing but their texts differs from the English ones, and no text is older."""

import re
from pathlib import Path

import nbformat
import pytest

from animegan.course.translation import read_texts, stale, with_texts

ENGLISH = Path(__file__).parents[1] / "notebooks"
CHINESE = ENGLISH / "zh"
NAMES = sorted(path.stem for path in ENGLISH.glob("*.ipynb"))
FENCE = re.compile(r"^```python\n.*?^```", re.MULTILINE | re.DOTALL)
# Code, formulas, addresses, and what a program or a paper says in English: in italics or in quotes.
NO_TEXT = re.compile(
    r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|\]\([^)]*\)|<[^>]*>|\*[ -)+-~]+\*|“[ -~ä\s]+”", re.DOTALL
)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def english(name):
    return nbformat.read(ENGLISH / f"{name}.ipynb", as_version=4)


@pytest.fixture
def texts(name):
    return read_texts(CHINESE / f"{name}.md")


@pytest.fixture(scope="module")
def glossary():
    """The rows of the glossary: [English, Chinese, explanation, notebooks, words that are not used]."""
    lines = (CHINESE / "术语.md").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]


def test_every_text_is_translated_and_none_is_older_than_its_english(english, texts):
    assert stale(english, texts) == []


def test_the_notebook_is_the_english_one_with_these_texts(name, english, texts):
    built = nbformat.writes(with_texts(english, texts)) + "\n"
    assert (CHINESE / f"{name}.ipynb").read_text(encoding="utf-8") == built, "make zh"


def test_code_in_a_text_is_that_of_the_english_one(english, texts):
    for cell in english.cells:
        if cell.cell_type == "markdown":
            assert FENCE.findall(texts[cell.id].text) == FENCE.findall(cell.source), cell.id


def test_what_a_reader_counts_on_is_the_same(english, texts):
    """Levels of headings, exercises with their stars, boxes, solutions, places to write, and formulas."""
    for cell in english.cells:
        if cell.cell_type != "markdown":
            continue
        text = texts[cell.id].text
        for pattern in (
            r"^#+ ",
            r"^### (?:Exercise|练习) \d\d\.\d[:：]",
            "★",
            "✍",
            "<div",
            "<details>",
            r"^\$\$.*",
            r"^\| *[-:]+",
        ):
            english_ones, chinese_ones = (re.findall(pattern, each, re.MULTILINE) for each in (cell.source, text))
            assert len(english_ones) == len(chinese_ones), f"{cell.id}: {pattern}"


def test_links_lead_to_chinese_neighbours(name, texts):
    whole = "\n".join(text.text for text in texts.values())
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", whole):
        assert (CHINESE / link).exists(), link
        assert "README.md" not in link or "ablation" in link, "the Chinese README"
    for anchor in re.findall(r"\]\(#([^)]+)\)", whole):
        assert f'<a id="{anchor}"></a>' in whole, anchor


def test_one_word_for_one_thing(texts, glossary):
    whole = "\n".join(text.text for text in texts.values())
    for row in glossary:
        for word in filter(None, row[4].split("、")):
            assert word not in whole, f"{word}: the glossary says {row[1]}"


def test_english_words_are_in_the_glossary_or_names(texts, glossary):
    known = {word.lower() for row in glossary for word in re.findall(r"[A-Za-z]+", f"{row[0]} {row[1]}")}
    _, _, names = (CHINESE / "术语.md").read_text(encoding="utf-8").partition("## 不翻译的名字")
    names = set(re.findall(r"[A-Za-z]+", names))
    for cell_id, text in texts.items():
        words = re.findall(r"[A-Za-z]{3,}", NO_TEXT.sub(" ", text.text))
        unknown = {word for word in words if word.lower() not in known and word not in names}
        assert not unknown, f"cell {cell_id}: translate {unknown}, or explain them in the glossary"


def test_every_term_of_the_glossary_is_used(glossary):
    whole = "\n".join(path.read_text(encoding="utf-8") for path in CHINESE.glob("0*.md"))
    assert len(glossary) > 60
    for row in glossary:
        assert len(row) == 5 and row[1] in whole, row
