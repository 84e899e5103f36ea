"""Every sentence that detection can store is told in Portuguese, with the same numbers."""

import re
from itertools import product

import numpy as np
import pytest

from detection.messages import REASONS
from detection.rules import METRICS, Rule, broken
from detection.scoring import reasons
from detection.scoring.detector import explain, learn, score, tally
from detection.scoring.minutes import Moments
from detection.scoring.policy import Policy
from detection.scoring.reasons import ASIDES, MEANINGS, SUBJECTS
from detection.scoring.state import State
from detection.scoring.wording import Sentence, told
from detection.services.findings import _of_rule

SENTENCES = [one for one in vars(reasons).values() if isinstance(one, Sentence)]
FACTS = {"seen": 1225.4, "expected": 310, "minutes": 12, "change": 295.3, "code": "77"}
ASIDE_FACTS = {"before": 12345, "usual": 4115}


def in_portuguese(text: str) -> str:
    return told(text, REASONS, "pt-br")


def numbers(text: str) -> list[str]:
    """The numbers of a text, sorted: each language orders a sentence in its own way."""
    return sorted(re.findall(r"\d+", re.sub(r"[.,](?=\d)", "", text)))


@pytest.mark.parametrize(
    ("english", "portuguese"),
    [
        (
            "1225 transactions not approved in 12 min, 310 expected.",
            "Transações não aprovadas: 1.225 em 12 min; o esperado era 310.",
        ),
        (
            "30 denials with code 51 (insufficient funds) in 4 min, 6 expected; they fall on other"
            " codes than usual.",
            "Negadas com código 51 (saldo insuficiente): 30 em 4 min; o esperado era 6; os códigos"
            " não são os de costume.",
        ),
        (
            "9 failures in 1 min, 0 expected; not one in 12,345 transactions before, so fewer than"
            " 1 in 4,115 is usual.",
            "Falhas: 9 em 1 min; o esperado era 0; nem uma em 12.345 transações antes, então o"
            " usual é menos de 1 em 4.115.",
        ),
        (
            "310 transactions in 5 min, 1225 expected (-75 %).",
            "Transações: 310 em 5 min; o esperado era 1.225 (-75 %).",
        ),
        (
            "Nothing reported for 7 min; about 1225 transactions were expected.",
            "Nenhuma transação reportada por 7 min; o esperado era cerca de 1.225.",
        ),
        (
            "Rule low: 5 min: approval_rate 0.6123 < 0.7 in 5 min.",
            "Regra low: 5 min: taxa de aprovação 0,6123 < 0,7 em 5 min.",
        ),
    ],
)
def test_a_reason_reads_in_portuguese(english: str, portuguese: str) -> None:
    assert in_portuguese(english) == portuguese


def test_what_detection_did_not_write_stays_as_it_is() -> None:
    assert in_portuguese("Disk full on db1.") == "Disk full on db1."


def test_another_language_reads_what_is_stored() -> None:
    text = "42 denials in 1 min, 6 expected."
    assert told(text, REASONS, "en") == text


@pytest.mark.parametrize("one", SENTENCES, ids=repr)
def test_every_sentence_has_its_portuguese(one: Sentence) -> None:
    assert bool(one.english) is bool(one.portuguese)
    assert one.english != one.portuguese or not one.english


def test_no_sentence_is_said_that_is_not_told() -> None:
    reachable = {*SUBJECTS, *ASIDES, *MEANINGS.values(), *reasons.REASONS}
    assert set(SENTENCES) <= reachable


def every_reason() -> list[str]:
    """All that can be said, one sentence of each subject and each aside."""
    meant = [meaning.say() for meaning in MEANINGS.values()]
    subjects = {one.say(code="51", meaning=each) for one in SUBJECTS for each in meant}
    asides = [one.say(**ASIDE_FACTS) for one in ASIDES]
    return [
        one.say(**FACTS, subject=subject, aside=aside)
        for one, subject, aside in product(reasons.REASONS, sorted(subjects), asides)
    ]


def test_all_that_can_be_said_is_told() -> None:
    said = every_reason()
    assert len(set(said)) > 60
    for text in said:
        told_text = in_portuguese(text)
        assert numbers(told_text) == numbers(text)
        assert not re.search(r"\b(expected|transactions|denials|min,)\b", told_text), told_text


@pytest.mark.parametrize("metric", METRICS)
def test_every_broken_rule_is_told(metric: str) -> None:
    rule = Rule("mine", metric, ">", 0.0, minutes=5)
    violation = broken(rule, [1.0, 2.0, 3.0, 4.0, 5.0, 600.5])
    assert violation is not None
    (text,) = _of_rule(rule, violation).reasons
    assert in_portuguese(text).startswith("Regra mine: ")
    assert metric == "total" or f" {metric} " not in in_portuguese(text)


def reasons_of_a_broken_hour(seed: int) -> list[str]:
    """What is said while everything of a source goes wrong at random."""
    chance = np.random.default_rng(seed)
    state, policy = State.new(1), Policy.defaults(1)
    codes, said = ["51", "05", "91", "14", "59", "Z9"], []
    for minute in range(300):
        row = [("approved", "00", 115.0 + minute * 7 % 11)]
        row += [("denied", code, 2.0 + (minute + place) % 2) for place, code in enumerate(codes)]
        if minute >= 270:
            status = str(chance.choice(["denied", "failed", "reversed", "backend_reversed"]))
            row += [(status, str(chance.choice([*codes, "54"])), float(chance.integers(5, 90)))]
            row = row if chance.random() < 0.7 else row[1:3] if chance.random() < 0.5 else []
        moments, counts = Moments.of([29_000_000 + minute]), tally(state, [row or None])
        scores = score(state, policy, moments, counts, closed=np.ones(1, bool))
        said += explain(state, scores, counts, 0).reasons
        learn(state, policy, moments, counts, scores)
    return said


def test_what_is_really_said_is_told() -> None:
    said = [text for seed in range(4) for text in reasons_of_a_broken_hour(seed)]
    assert len(said) > 40
    assert [text for text in said if in_portuguese(text) == text] == []
