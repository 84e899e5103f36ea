"""Who looks on while a message is sent: nobody, unless the site asks to (tracing)."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from alerts.models import Notification

Onlooker = Callable[[Notification], AbstractContextManager[None]]
_onlooker: Onlooker | None = None


def look_on_sending(onlooker: Onlooker | None) -> None:
    """Enter what `onlooker` gives around every send; None is nobody."""
    global _onlooker
    _onlooker = onlooker


def sending(row: Notification) -> AbstractContextManager[None]:
    """Return what is entered around the send of a message."""
    return nullcontext() if _onlooker is None else _onlooker(row)
