"""Says so when a stage of our own stands still, past the outbox that may be what stands still."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.channels import ChannelError, Outgoing, adapter_of
from alerts.conf import heartbeat_url
from alerts.messages.phrases import DEFAULT, say
from alerts.messages.stored import stage_told
from alerts.models import Channel, StageAlarm
from alerts.selectors.channels import active_channels
from alerts.selectors.watch import StageState, stage_states

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 5.0
# A web server that is started anew is away for so long, and nobody need know.
RESTART = timedelta(seconds=90)
Stage = StageAlarm.Stage


def watch_stages(
    *, now: datetime, door: str = "", begun: datetime | None = None
) -> list[StageState]:
    """Every stage that stopped or goes again has been told of, once; all well is told outside.

    Whatever runs this must not depend on the stages: a thread of the web process, a process of its
    own, a cron line (`manage.py watch --once`).

    Parameters
    ----------
    now : datetime
        Time of the look.
    door : str
        Address at which the web server answers; empty where somebody else watches it. The canary
        does not come in by it, and while it is shut no source can report.
    begun : datetime or None
        When the caller was started, most likely with all the rest; None: long ago.
    """
    states = stage_states(now=now, begun=begun)
    shut = bool(states and door) and not _answers(door)
    if shut:
        states = [replace(state, stopped=state.stage == Stage.INGEST) for state in states]
    for state in states:
        if state.stopped:
            _raise_alarm(state, now, shut=shut)
        else:
            _clear_alarm(state, now)
    # No grace after a start for the heartbeat: it is sent only when all stages are proven well.
    proven = stage_states(now=now)
    if states and not any(state.stopped for state in [*states, *proven]):
        _beat_outside()
    return states


def _answers(door: str) -> bool:
    import httpx

    try:
        return httpx.get(door, timeout=HEARTBEAT_SECONDS).is_success
    except httpx.HTTPError:
        return False


def _raise_alarm(state: StageState, now: datetime, *, shut: bool) -> None:
    since = now if shut else state.last or now
    alarm, _made = StageAlarm.objects.get_or_create(stage=state.stage, defaults={"since": since})
    if shut and now - alarm.since < RESTART:
        # Told after a while only; the row already holds back messages about silent sources.
        return
    # Of several watchers, the one whose UPDATE changes the row speaks.
    if StageAlarm.objects.filter(stage=state.stage, told=None).update(told=now):
        _speak("stopped", state.stage, now, time=f"{alarm.since:%Y-%m-%d %H:%M}")


def _clear_alarm(state: StageState, now: datetime) -> None:
    known = StageAlarm.objects.filter(stage=state.stage).first()
    if known is None or (state.last is not None and state.last < known.since):
        return
    deleted, _by_model = StageAlarm.objects.filter(stage=state.stage).delete()
    if deleted and known.told:
        _speak("goes", state.stage, now)


def _speak(news: str, stage: str, now: datetime, **facts: str) -> None:
    logger.error("%s. %s", *_words(news, stage, DEFAULT, facts))
    for channel in _watch_channels():
        title, text = _words(news, stage, channel.speaks, facts)
        message = Outgoing(key=f"watch-{now.timestamp():.0f}", kind="test", title=title, text=text)
        try:
            adapter_of(channel).send(channel, message)
        except ChannelError as error:
            logger.warning("%s not told: %s", channel, error)


def _words(news: str, stage: str, language: str, facts: dict[str, str]) -> tuple[str, str]:
    label = stage_told(StageAlarm.Stage(stage).label, language)
    title = say(f"watch.{news}", language, stage=label)
    return title, say(f"watch.{news}.text", language, **facts)


def _watch_channels() -> list[Channel]:
    """Return the backup channels; without any, all of them."""
    rows = active_channels().filter(owner=None).exclude(kind=Channel.Kind.SINK).order_by("id")
    usable = [channel for channel in rows if adapter_of(channel).configured(channel)]
    return [channel for channel in usable if channel.standby] or usable


def _beat_outside() -> None:
    url = heartbeat_url()
    if not url:
        return
    import httpx

    try:
        # Only success counts: a redirect, or the 404 of a switch that is gone, is no heartbeat.
        with httpx.stream("GET", url, timeout=HEARTBEAT_SECONDS) as answer:
            if not answer.is_success:
                logger.warning("heartbeat not delivered: HTTP %s", answer.status_code)
    except httpx.HTTPError as error:
        logger.warning("heartbeat not delivered: %s", type(error).__name__)
