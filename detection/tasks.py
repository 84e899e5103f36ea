from celery import shared_task

from detection.services.sweep import sweep_closed_minutes as sweep


@shared_task
def sweep_closed_minutes() -> None:
    sweep()
