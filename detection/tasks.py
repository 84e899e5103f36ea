from celery import shared_task
from django.utils import timezone

from detection.services.sweep import sweep_closed_minutes as sweep
from detection.services.training import retrain_forest as retrain


@shared_task
def sweep_closed_minutes() -> None:
    sweep()


@shared_task
def retrain_forest() -> None:
    retrain(now=timezone.now())
