"""The Celery application: `celery -A guardian_site`."""

import os

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardian_site.settings")

app = Celery("guardian_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Threads of the web process ask for the app too; without this they would find a default one.
app.set_default()
app.autodiscover_tasks()


@signals.setup_logging.connect
def _leave_the_log_as_it_is(**_: object) -> None:
    """Keep Django's LOGGING: without a receiver Celery would set the root logger's level."""
