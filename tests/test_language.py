"""English in the code, Chinese for a Chinese notebook."""

import sys

import pytest

from animegan import language
from animegan.language import translated
from animegan.show import font_for, on_picture


@pytest.fixture
def chinese(monkeypatch):
    monkeypatch.setenv("ANIMEGAN_LANG", "zh")
    pytest.importorskip("babel", reason="Babel is missing: pip install -e '.[notebooks]'")


def test_the_language_is_that_of_the_variable_or_of_the_notebooks_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("ANIMEGAN_LANG", raising=False)
    assert language.language() == "en"
    (tmp_path / "zh").mkdir()
    monkeypatch.chdir(tmp_path / "zh")
    assert language.language() == "zh"
    monkeypatch.setenv("ANIMEGAN_LANG", "en")
    assert language.language() == "en" and translated("not attempted yet") == "not attempted yet"


def test_a_text_is_found_with_what_was_filled_in(chinese):
    assert translated("not attempted yet") == "还没有做"
    assert translated("epoch 12") == "第 12 轮"
    assert translated("hint: 0 becomes -1; yours gives 5.") == "提示：0 应变成 -1；你的结果是 5。", "a text in a text"
    found = translated("D certain in 77% of the last 64 batches")
    assert found == "最后 64 批中，D 在 77% 的批里是确信的", "in another order"


def test_a_text_that_is_not_in_the_catalogue_stays(chinese):
    assert translated("my own words") == "my own words"
    assert translated("") == ""


def test_an_unknown_language_is_english(monkeypatch):
    monkeypatch.setenv("ANIMEGAN_LANG", "tlh")
    assert translated("not attempted yet") == "not attempted yet"


def test_chinese_has_several_names(chinese, monkeypatch):
    monkeypatch.setenv("ANIMEGAN_LANG", "zh_CN")
    assert translated("not attempted yet") == "还没有做"


def test_without_babel_it_is_english(monkeypatch):
    monkeypatch.setenv("ANIMEGAN_LANG", "zh")
    monkeypatch.setitem(sys.modules, "babel.messages.pofile", None)
    language._catalogue.cache_clear()
    assert translated("not attempted yet") == "not attempted yet"
    language._catalogue.cache_clear()


def test_every_entry_has_as_many_places_as_its_translation(chinese):
    exact, patterns = language._catalogue("zh")
    assert len(exact) > 200 and all(exact.values())
    for pattern, text in patterns:
        assert text.count("{") - text.count("{1:") == pattern.groups, text


def test_without_a_chinese_font_pictures_stay_english(chinese, monkeypatch):
    monkeypatch.setattr("animegan.show.pictures.chinese_font", lambda: "")
    assert on_picture("epoch 12") == "epoch 12"
    assert font_for(20, ["图"]).size == 20


def test_with_a_chinese_font_they_are_chinese(chinese, monkeypatch):
    monkeypatch.setattr("animegan.show.pictures.chinese_font", lambda: "a font")
    assert on_picture("epoch 12") == "第 12 轮"
