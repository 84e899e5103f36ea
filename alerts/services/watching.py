"""Says so when a stage of our own stands still, past the outbox that may be what stands still."""

import logging
from datetime import datetime

import httpx

from alerts.channels import ChannelError, Outgoing, adapter_of
from alerts.conf import heartbeat_url
from alerts.models import Channel, StageAlarm
from alerts.selectors.channels import active_channels
from alerts.selectors.watch import StageState, stage_states

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 5.0


def watch_stages(*, now: datetime) -> list[StageState]:
    """Every stage that stopped or goes again has been told of, once; all well is told outside.

    Whatever runs this must not depend on the stages: a thread of the web process, a process of its
    own, a cron line (`manage.py watch --once`).
    """
    states = stage_states(now=now)
    for state in states:
        if state.stopped:
            _raise_alarm(state, now)
        else:
            _clear_alarm(state, now)
    if states and not any(state.stopped for state in states):
        _beat_outside()
    return states


def _raise_alarm(state: StageState, now: datetime) -> None:
    since = state.last or now
    StageAlarm.objects.get_or_create(stage=state.stage, defaults={"since": since})
    # Of several watchers, the one whose UPDATE changes the row speaks.
    if StageAlarm.objects.filter(stage=state.stage, told=None).update(told=now):
        label = StageAlarm.Stage(state.stage).label
        _speak(
            now,
            f"Guardian itself: {label} stands still",
            f"Nothing came through since {since:%Y-%m-%d %H:%M} UTC. Pages may not arrive."
            " Look at /health and restart the part it names.",
        )


def _clear_alarm(state: StageState, now: datetime) -> None:
    known = StageAlarm.objects.filter(stage=state.stage).first()
    if known is None or (state.last is not None and state.last < known.since):
        return
    deleted, _by_model = StageAlarm.objects.filter(stage=state.stage).delete()
    if deleted and known.told:
        label = StageAlarm.Stage(state.stage).label
        _speak(now, f"Guardian itself: {label} goes again", "What waited is being worked off.")


def _speak(now: datetime, title: str, text: str) -> None:
    logger.error("%s. %s", title, text)
    message = Outgoing(key=f"watch-{now.timestamp():.0f}", kind="test", title=title, text=text)
    for channel in _watch_channels():
        try:
            adapter_of(channel).send(channel, message)
        except ChannelError as error:
            logger.warning("%s not told: %s", channel, error)


def _watch_channels() -> list[Channel]:
    """Return the backup channels; without any, all of them."""
    rows = active_channels().filter(owner=None).exclude(kind=Channel.Kind.SINK).order_by("id")
    usable = [channel for channel in rows if adapter_of(channel).configured(channel)]
    return [channel for channel in usable if channel.standby] or usable


def _beat_outside() -> None:
    url = heartbeat_url()
    if not url:
        return
    try:
        httpx.get(url, timeout=HEARTBEAT_SECONDS)
    except httpx.HTTPError as error:
        logger.warning("heartbeat not delivered: %s", type(error).__name__)
