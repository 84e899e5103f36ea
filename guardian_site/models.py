"""The operation itself: which parts are alive."""

from django.db import models
from django.utils import timezone


class Heartbeat(models.Model):
    """When one running part (a worker, the beat) last said that it is alive."""

    part = models.CharField(max_length=120, primary_key=True)
    kind = models.CharField(max_length=20)
    started = models.DateTimeField(default=timezone.now)
    seen = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.part


class TraceMark(models.Model):
    """The span from which the trace of a row continues; written only while traces are on."""

    about = models.CharField(max_length=48, primary_key=True)
    parent = models.CharField(max_length=55)
    noted = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.about
