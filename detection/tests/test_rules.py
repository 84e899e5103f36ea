"""Static rules are read strictly and fire on what they say."""

import pytest

from detection.rules import RuleError, broken, read_rules

LOW = {"name": "LOW_APPROVAL", "metric": "approval_rate", "op": "<", "value": 0.8, "minutes": 5}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": ""}, "needs a name"),
        ({"name": "LOW\0"}, "rule 1 needs a name without line breaks"),
        ({"name": "LOW\nHIGH"}, "rule 1 needs a name without line breaks"),
        ({"metric": "speed"}, "metric must be one of"),
        ({"op": "="}, "op must be one of"),
        ({"value": "0.8"}, "value must be a number"),
        ({"value": -1}, "at least 0"),
        ({"value": True}, "must be a number"),
        ({"value": float("nan")}, "must be a number"),
        ({"minutes": 0}, "1 to 60"),
        ({"minutes": 61}, "1 to 60"),
        ({"minutes": 2.5}, "whole number"),
        ({"level": "NORMAL"}, "level must be one of"),
        ({"treshold": 3}, "unknown field treshold"),
    ],
)
def test_a_faulty_rule_is_refused_with_the_reason(change: dict[str, object], told: str) -> None:
    with pytest.raises(RuleError, match=told):
        read_rules([{**LOW, **change}])


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(RuleError, match="two rules"):
        read_rules([LOW, LOW])


def test_rules_must_be_a_list() -> None:
    with pytest.raises(RuleError, match="list"):
        read_rules({"name": "x"})


def test_no_rules_are_no_rules() -> None:
    assert read_rules(None) == ()


def test_a_rule_fires_below_its_value_and_says_so() -> None:
    [rule] = read_rules([LOW])
    told = broken(rule, [70, 30, 0, 0, 0, 0])
    assert told == "LOW_APPROVAL: approval_rate 0.7 < 0.8 in 5 min"
    assert broken(rule, [80, 20, 0, 0, 0, 0]) is None


def test_a_rate_of_nothing_is_unknown_and_fires_nothing() -> None:
    [rule] = read_rules([LOW])
    assert broken(rule, [0, 0, 0, 0, 0, 0]) is None


def test_a_rate_of_too_few_fires_nothing() -> None:
    [rule] = read_rules([{**LOW, "minimum_total": 50}])
    assert broken(rule, [1, 9, 0, 0, 0, 0]) is None
    assert broken(rule, [10, 90, 0, 0, 0, 0]) is not None


@pytest.mark.parametrize(
    ("metric", "op", "family"),
    [
        ("total", "<", "volume_low"),
        ("total", ">", "volume_high"),
        ("failed", ">", "technical_failure"),
        ("backend_reversed_share", ">", "technical_failure"),
        ("refunded", ">", "reversal"),
        ("approval_rate", "<", "decline"),
    ],
)
def test_its_alarms_join_the_family_they_belong_to(metric: str, op: str, family: str) -> None:
    [rule] = read_rules([{**LOW, "metric": metric, "op": op}])
    assert rule.family == family
