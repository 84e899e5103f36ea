import pytest

from alerts.lifecycle import TRANSITIONS, Action, IllegalTransition, State, next_state, permitted

ALL = [(state, action) for state in State for action in Action]


@pytest.mark.parametrize(("state", "action"), ALL)
def test_every_pair_is_either_in_the_table_or_refused(state: State, action: Action) -> None:
    if (state, action) in TRANSITIONS:
        assert next_state(state, action) is TRANSITIONS[state, action]
        return
    with pytest.raises(IllegalTransition, match=f"that is {state.value} cannot take"):
        next_state(state, action)


@pytest.mark.parametrize(
    ("state", "action", "after"),
    [
        ("open", "acknowledge", "acknowledged"),
        ("acknowledged", "raise", "open"),
        ("mitigated", "raise", "open"),
        ("acknowledged", "mitigate", "mitigated"),
        ("resolved", "reopen", "open"),
        ("closed", "reopen", "open"),
        ("resolved", "close", "closed"),
    ],
)
def test_the_moves_people_rely_on(state: str, action: str, after: str) -> None:
    assert next_state(state, Action(action)) == after


@pytest.mark.parametrize(
    ("state", "action"),
    [
        ("acknowledged", "acknowledge"),
        ("resolved", "acknowledge"),
        ("resolved", "resolve"),
        ("closed", "resolve"),
        ("merged", "reopen"),
        ("open", "reopen"),
    ],
)
def test_the_moves_that_make_no_sense(state: str, action: str) -> None:
    with pytest.raises(IllegalTransition):
        next_state(state, Action(action))


def test_a_merged_incident_only_leaves_the_other() -> None:
    assert permitted("merged") == ["split"]


def test_the_refusal_says_what_is_possible() -> None:
    with pytest.raises(IllegalTransition, match="it allows: close, merge, reopen"):
        next_state("resolved", Action.RESOLVE)
