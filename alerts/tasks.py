from celery import shared_task
from django.utils import timezone

from alerts import services
from alerts.selectors.outbox import due_channels


@shared_task
def absorb_anomalies() -> None:
    if services.absorb_anomalies(now=timezone.now()):
        send_due_notifications.delay()


@shared_task
def send_due_notifications() -> None:
    # One task for each channel: a vendor that hangs keeps only its own messages waiting.
    for channel in due_channels(now=timezone.now()):
        send_channel.delay(channel)


@shared_task
def send_channel(channel: int) -> None:
    services.send_due_notifications(now=timezone.now(), channel=channel)


@shared_task
def escalate_incidents() -> None:
    if services.escalate_incidents(now=timezone.now()):
        send_due_notifications.delay()


@shared_task
def queue_digests() -> None:
    services.queue_digests(now=timezone.now())


@shared_task
def send_canary() -> None:
    services.send_canary(now=timezone.now())


@shared_task
def watch_stages() -> None:
    services.watch_stages(now=timezone.now())


@shared_task
def poll_telegram() -> None:
    if services.poll_telegram(now=timezone.now()):
        send_due_notifications.delay()
