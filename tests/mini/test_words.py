"""The words that the embedded backbone knows are those of the captions it was trained on."""

from __future__ import annotations

from lepbench.mini.words import describe_unknown_words, find_unknown_words, list_known_phrases
from lepbench.sketchworld import ATTRIBUTES, scene


def test_every_caption_is_known_and_every_phrase_is_said() -> None:
    captions = [scene("train", index).caption for index in range(1500)]
    assert find_unknown_words("mini@1", captions) == []
    said = " ".join(captions)
    assert [phrase for phrase, _ in list_known_phrases("mini@1") if phrase not in said] == []


def test_phrases_have_the_kinds_of_the_attributes() -> None:
    phrases = list_known_phrases("mini@1")
    for kind in ("shape", "colour"):
        assert tuple(phrase for phrase, of in phrases if of == kind) == ATTRIBUTES[kind]


def test_unknown_words_are_named_once_and_a_few_of_many() -> None:
    assert find_unknown_words("mini@1", ["A Dog's dog, dog!", "Ein roter Fisch"]) == [
        "dog's", "dog", "ein", "roter", "fisch",
    ]  # fmt: skip
    (note,) = describe_unknown_words("mini@1", ["one two three four five six seven"])
    assert "these words: one, two, three, four, five and 2 more; 'lepbench list words'" in note
    assert describe_unknown_words("mini@1", ["A RED fish, on pale sand."]) == []


def test_of_other_backbones_nothing_is_said() -> None:
    assert describe_unknown_words("owner/model", ["a dog"]) == []
