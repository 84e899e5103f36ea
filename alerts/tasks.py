from celery import shared_task

from alerts import services
from alerts.selectors.outbox import due_channels
from ingest import steady_clock


@shared_task
def absorb_anomalies() -> None:
    if services.absorb_anomalies(now=steady_clock.now()):
        send_due_notifications.delay()


@shared_task
def send_due_notifications() -> None:
    # One task for each channel: a vendor that hangs keeps only its own messages waiting.
    for channel in due_channels(now=steady_clock.now()):
        send_channel.delay(channel)
    # What no channel can try, because it is paused or off, is found by nobody else.
    services.hand_over_stuck(now=steady_clock.now())


@shared_task
def send_channel(channel: int) -> None:
    services.send_due_notifications(now=steady_clock.now(), channel=channel)


@shared_task
def escalate_incidents() -> None:
    if services.escalate_incidents(now=steady_clock.now()):
        send_due_notifications.delay()


@shared_task
def queue_digests() -> None:
    services.queue_digests(now=steady_clock.now())


@shared_task
def send_canary() -> None:
    services.send_canary(now=steady_clock.now())


@shared_task
def watch_stages() -> None:
    services.watch_stages(now=steady_clock.now())


@shared_task
def poll_telegram() -> None:
    if services.poll_telegram(now=steady_clock.now()):
        send_due_notifications.delay()
