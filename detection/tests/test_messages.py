"""The first action, the same in each language."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from detection.messages import (
    ACTION_OF_CODE,
    ACTION_OF_FAMILY,
    OWNER_OF_CODE,
    first_action,
    refusal_told,
)
from detection.scoring.series import FAMILIES
from detection.scoring.wording import Sentence, told

ACTIONS = [*ACTION_OF_CODE.values(), *ACTION_OF_FAMILY.values()]


def test_every_family_has_an_action() -> None:
    assert set(ACTION_OF_FAMILY) == set(FAMILIES)
    assert set(ACTION_OF_CODE) <= set(OWNER_OF_CODE)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.english[:20])
def test_every_action_has_its_portuguese(action: Sentence) -> None:
    assert action.portuguese not in ("", action.english)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("code", ["", "51", "91", "77"])
@pytest.mark.parametrize("level", [1, 2])
def test_both_languages_name_the_same_action(family: str, code: str, level: int) -> None:
    english = first_action(family, level, code).removeprefix("Watch it for a few minutes. ")
    portuguese = first_action(family, level, code, "pt-br")
    assert portuguese.startswith("Observe por alguns minutos. ") is (level == 1)
    assert portuguese.endswith(told(english, ACTIONS, "pt-br"))


def test_a_code_counts_for_denials_only() -> None:
    assert first_action("decline", 2, "59", "pt-br").startswith("Suspeita de fraude:")
    assert first_action("reversal", 2, "59", "pt-br").startswith("Veja de quem partem os estornos")


@pytest.mark.parametrize("service", ["labels", "forests", "trials"])
def test_every_refusal_of_a_service_has_its_portuguese(service: str) -> None:
    code = Path(settings.BASE_DIR, "detection", "services", f"{service}.py").read_text()
    texts = re.findall(r'raise ValueError\(f?"(.+)"\)', code)
    assert texts
    for text in texts:
        refusal = re.sub(r"{.+?}", "7", text)
        assert refusal_told(ValueError(refusal), "pt-br") != refusal
