"""How an incident may move from state to state: one table, everything else is refused."""

from django.db import models


class State(models.TextChoices):
    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    MITIGATED = "mitigated", "Mitigated"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"
    MERGED = "merged", "Merged"


class Action(models.TextChoices):
    ACKNOWLEDGE = "acknowledge"
    MITIGATE = "mitigate"
    RESOLVE = "resolve"
    CLOSE = "close"
    MERGE = "merge"
    SPLIT = "split"
    REOPEN = "reopen"
    RAISE = "raise"


ONGOING = frozenset({State.OPEN, State.ACKNOWLEDGED, State.MITIGATED})

# A rise in severity opens an acknowledged incident again: who acknowledged a warning has not
# agreed to sit through an outage.
TRANSITIONS: dict[tuple[State, Action], State] = {
    (State.OPEN, Action.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.OPEN, Action.MITIGATE): State.MITIGATED,
    (State.OPEN, Action.RESOLVE): State.RESOLVED,
    (State.OPEN, Action.CLOSE): State.CLOSED,
    (State.OPEN, Action.MERGE): State.MERGED,
    (State.OPEN, Action.RAISE): State.OPEN,
    (State.ACKNOWLEDGED, Action.MITIGATE): State.MITIGATED,
    (State.ACKNOWLEDGED, Action.RESOLVE): State.RESOLVED,
    (State.ACKNOWLEDGED, Action.CLOSE): State.CLOSED,
    (State.ACKNOWLEDGED, Action.MERGE): State.MERGED,
    (State.ACKNOWLEDGED, Action.RAISE): State.OPEN,
    (State.MITIGATED, Action.RESOLVE): State.RESOLVED,
    (State.MITIGATED, Action.CLOSE): State.CLOSED,
    (State.MITIGATED, Action.MERGE): State.MERGED,
    (State.MITIGATED, Action.RAISE): State.OPEN,
    (State.RESOLVED, Action.CLOSE): State.CLOSED,
    (State.RESOLVED, Action.MERGE): State.MERGED,
    (State.RESOLVED, Action.REOPEN): State.OPEN,
    (State.CLOSED, Action.REOPEN): State.OPEN,
    # Or what it was before it was merged: see `move`.
    (State.MERGED, Action.SPLIT): State.OPEN,
}


class IllegalTransition(ValueError):
    """The incident's state does not allow the action; the message says what it allows."""


def next_state(state: str, action: Action) -> State:
    """Return the state that `action` leads to.

    Raises
    ------
    IllegalTransition
        If an incident in `state` cannot take `action`.

    Examples
    --------
    >>> next_state("open", Action.ACKNOWLEDGE).value
    'acknowledged'
    """
    try:
        return TRANSITIONS[State(state), action]
    except KeyError:
        allowed = ", ".join(permitted(state)) or "nothing more"
        raise IllegalTransition(
            f"An incident that is {state} cannot take “{action}”; it allows: {allowed}."
        ) from None


def permitted(state: str) -> list[str]:
    """Return what an incident in `state` allows, in the order of a life.

    Examples
    --------
    >>> permitted("resolved")
    ['close', 'merge', 'reopen']
    """
    return [action.value for action in Action if (State(state), action) in TRANSITIONS]
