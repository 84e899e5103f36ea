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
