"""The outbox: who can be told, and every message that was or will be."""

from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts.models.incident import Incident
from alerts.models.quiet import known_zone
from detection.models import Level
from ingest.models import Source

LANGUAGES = [("en", "English"), ("pt-br", "Português do Brasil")]


class Channel(models.Model):
    """One way to reach people: a Slack channel, a mailbox, a telephone."""

    class Digest(models.TextChoices):
        NONE = "", "None"
        DAILY = "daily", "Daily"
        WEEKLY = "weekly", "Weekly"
        BOTH = "both", "Daily and weekly"

    class Kind(models.TextChoices):
        CONSOLE = "console", "Console"
        SLACK_WEBHOOK = "slack_webhook", "Slack (incoming webhook)"
        SLACK_BOT = "slack_bot", "Slack (bot)"
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Signed webhook"
        TELEGRAM = "telegram", "Telegram"
        WHATSAPP = "whatsapp", "WhatsApp Cloud API"
        PAGERDUTY = "pagerduty", "PagerDuty"
        ALERTMANAGER = "alertmanager", "Alertmanager"
        APPRISE = "apprise", "Apprise"
        SINK = "sink", "Sink of the canary"

    name = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    configuration = models.JSONField(
        default=dict,
        blank=True,
        help_text="What the kind needs; “env:NAME” takes a secret from the environment.",
    )
    minimum_level = models.CharField(max_length=8, choices=Level.choices, default=Level.WARNING)
    language = models.CharField(max_length=8, choices=LANGUAGES, blank=True)
    sources = models.ManyToManyField(Source, blank=True, help_text="Empty: every source.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="alert_channels",
        help_text="Set: reaches this person only, when on call or given an incident.",
    )
    standby = models.BooleanField(
        default=False, help_text="Used only by escalation steps and as another channel's backup."
    )
    backup = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    time_zone = models.CharField(max_length=64, default="UTC")
    quiet_from = models.TimeField(null=True, blank=True, help_text="Warnings wait from here …")
    quiet_until = models.TimeField(null=True, blank=True, help_text="… until here, local time.")
    per_minute = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1)], help_text="At most so many a minute."
    )
    digest = models.CharField(max_length=6, choices=Digest.choices, blank=True, default="")
    builtin = models.BooleanField(default=False, editable=False)
    fingerprint = models.CharField(max_length=16, blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    disabled = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=300, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def speaks(self) -> str:
        """The language of its messages: its own, or that of the whole site."""
        return self.language or settings.GUARDIAN_LANGUAGE

    def clean(self) -> None:
        try:
            known_zone(self.time_zone)
        except ValidationError as error:
            raise ValidationError({"time_zone": error.messages}) from error
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValidationError({"quiet_until": _("Give both times, or neither.")})


class Notification(models.Model):
    """One message to one channel about one change of one incident: a row first, then a send."""

    class Kind(models.TextChoices):
        OPENED = "opened"
        ESCALATED = "escalated"
        UPDATED = "updated"
        REOPENED = "reopened"
        RESOLVED = "resolved"
        REMINDER = "reminder"
        ASSIGNED = "assigned"
        DIGEST = "digest"
        TEST = "test"
        CANARY = "canary"

    class State(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        SENT = "sent"
        DEAD = "dead"
        SUPPRESSED = "suppressed"

    incident = models.ForeignKey(
        Incident, null=True, blank=True, on_delete=models.CASCADE, related_name="notifications"
    )
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="notifications")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # What it is about, so that the same change is never written twice for one channel.
    occasion = models.CharField(max_length=40, blank=True)
    level = models.CharField(max_length=8, choices=Level.choices, default=Level.NORMAL)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was made, or held.")
    content = models.JSONField(
        null=True, blank=True, help_text="The text, where it is not written from an incident."
    )
    created = models.DateTimeField(default=timezone.now)
    due = models.DateTimeField(default=timezone.now)
    held_until = models.DateTimeField(
        null=True, blank=True, help_text="When it could be sent at first, if that was not at once."
    )
    attempts = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    sent = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)
    reference = models.CharField(
        max_length=200, blank=True, help_text="The vendor's name for the message."
    )
    stands_in_for = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="stand_ins"
    )

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("incident", "channel", "occasion"),
                condition=models.Q(incident__isnull=False),
                name="alerts_notification_once",
            ),
        )
        indexes = (
            models.Index(
                fields=("due", "id"),
                condition=models.Q(state__in=("pending", "sending")),
                name="alerts_notification_waiting",
            ),
            models.Index(fields=("channel", "-sent"), name="alerts_notification_sent"),
        )

    def __str__(self) -> str:
        return f"{self.kind} to {self.channel_id} ({self.state})"

    @property
    def waits_since(self) -> datetime:
        """The time from which it counts as late: a held message from the end of the holding."""
        return self.held_until or self.created
