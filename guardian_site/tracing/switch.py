"""Turns traces on and off for this process."""

from guardian_site.telemetry.logging import more_ids
from guardian_site.tracing import provider, rows, tasks


def turn_on() -> None:
    """Requests, tasks and messages are followed, and log lines name the trace."""
    provider.start()
    tasks.connect()
    rows.connect()
    more_ids.append(provider.ids)


def turn_off() -> None:
    """What was finished is sent; nothing is followed any more."""
    more_ids.remove(provider.ids)
    rows.disconnect()
    tasks.disconnect()
    provider.stop()
