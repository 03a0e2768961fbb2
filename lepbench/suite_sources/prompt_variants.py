"""Suites of prompts: the same sketch with its caption said otherwise, and in styles."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from lepbench.errors import LepbenchError
from lepbench.seeds import derive_seed
from lepbench.suite_sources.base import SUITE_SOURCES
from lepbench.suite_sources.placeholders import check_placeholders
from lepbench.suite_sources.variants import OriginalItem, VariantCandidates, VariantSource
from lepbench.suite_sources.worlds import restore_scene
from lepbench.suites import Truth, load_suite
from lepbench.suites.freeze import ItemRow

OWN, PARAPHRASE, PROMPT = "own", "paraphrase", "{prompt}"
MOST_LETTERS = 40
"""Of the name of a template."""


@SUITE_SOURCES.register("prompts")
class PromptsSource(VariantSource):
    """Each item with its own prompt, with paraphrases, and within templates.

    Paraphrases are by the grammar of sketchworld, of items with a scene. No two prompts of an item are alike.

    Settings: `paraphrases`, how many; `templates`, a name and a text with `{prompt}` in it for each style.
    """

    needs: ClassVar[tuple[Truth, ...]] = ()
    protocol: ClassVar[str] = "lepbench-prompts-v1"
    question: ClassVar[str] = "the prompt says the same in other words, or in a style"
    keeps_sketch: ClassVar[bool] = True
    name: Literal["prompts"] = "prompts"
    paraphrases: int = Field(default=3, ge=0, le=8)
    templates: dict[str, str] = Field(default_factory=dict)

    @field_validator("templates")
    @classmethod
    def _hold_the_prompt(cls, templates: dict[str, str]) -> dict[str, str]:
        for name, template in templates.items():
            check_name(name)
            check_placeholders(f"template {name!r}", template, PROMPT)
        if len({name.casefold() for name in templates}) < len(templates):
            raise ValueError("two templates have names that differ in capitals alone; rename one")
        if len({PROMPT, *templates.values()}) <= len(templates):
            raise ValueError(f"two templates are alike, or one is {PROMPT!r} alone; remove it")
        return templates

    @model_validator(mode="after")
    def _asks_for_some(self) -> PromptsSource:
        if not self.paraphrases and not self.templates:
            raise ValueError(
                "paraphrases is 0 and there are no templates, so that no prompt differs; write "
                "'paraphrases: 3', or 'templates: {oil: \"an oil painting of {prompt}\"}'"
            )
        return self

    def list_levels(self) -> tuple[str, ...]:
        paraphrases = (f"{PARAPHRASE}-{number + 1}" for number in range(self.paraphrases))
        return (OWN, *paraphrases, *self.templates)

    def open(self) -> VariantCandidates:
        """Index the variants.

        Raises:
            LepbenchError: as that of any variants, or paraphrases are asked for of items without a scene.
        """
        suite = load_suite(str(self.path))
        if self.paraphrases and "scene" not in suite.definition.truths:
            raise LepbenchError(
                f"suite {suite.name!r} has no scenes to paraphrase",
                "give --set paraphrases=0 and --set 'templates={oil: \"an oil painting of {prompt}\"}'",
            )
        return super().open()

    def vary(self, original: OriginalItem, level: str) -> ItemRow:
        prompt = original.item.prompt
        if level in self.templates:
            return {"prompt": self.templates[level].replace(PROMPT, prompt)}
        number = self.list_levels().index(level)
        if level == OWN:
            return {}
        return {"prompt": paraphrase_prompt(prompt, original.item.scene, number, self.seed)[number - 1]}


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a level of a template.

    Raises:
        ValueError: it is empty, has other characters than a name has, or is that of another level.
    """
    how = "name it by letters, digits and -, such as 'oil'"
    if not name:
        raise ValueError(f"a template has an empty name; {how}")
    if name == OWN or name.startswith(PARAPHRASE):
        raise ValueError(f"a template cannot be called {name!r}, as a level of the suite is; {how}")
    if len(name) > MOST_LETTERS:
        raise ValueError(
            f"the name {name[:16] + '...'!r} of a template has over {MOST_LETTERS} letters; {how}"
        )
    if not name.replace("-", "").isalnum():
        raise ValueError(f"{name!r} is no name of a template; {how}")


def paraphrase_prompt(prompt: str, scene: str, count: int, seed: int) -> list[str]:
    """Captions of a scene in other words than a prompt and than each other, the same for every `count`.

    Args:
        scene: as JSON.

    Raises:
        LepbenchError: the grammar has not so many.
    """
    from lepbench.sketchworld.captions import caption_of

    there = restore_scene(scene)
    rng = np.random.default_rng(derive_seed(seed, there.id, "paraphrase"))
    drawn = (caption_of(rng, there.things, there.background, there.relation) for _ in range(1000))
    found = list(dict.fromkeys(text for text in drawn if text != prompt))
    if len(found) < count:
        raise LepbenchError(f"{prompt!r} has only {len(found)} paraphrases", "ask for fewer")
    return found[:count]
