"""Who is signed in through the API, and who sees which sources."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from ingest.models import Source


class SignIn(models.Model):
    """One sign-in of a person through the API, from login until logout or until it runs out."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # The one refresh token that still works. It is replaced by an UPDATE that names the old one,
    # so that a token works once; one that comes twice was stolen or leaked.
    refresh_id = models.CharField(max_length=32, editable=False)
    # Changes with the password, which thereby ends every sign-in.
    password_mark = models.CharField(max_length=128, editable=False)
    address = models.GenericIPAddressField(null=True, blank=True)
    started = models.DateTimeField(default=timezone.now)
    refreshed = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField(db_index=True)
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-started",)

    def __str__(self) -> str:
        return f"{self.user} since {timezone.localtime(self.started):%Y-%m-%d %H:%M}"


class RevokedToken(models.Model):
    """A token of a key, revoked before its expiry; remembered until then."""

    token_id = models.CharField(max_length=32, primary_key=True)
    expires = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.token_id} until {self.expires:%Y-%m-%d %H:%M}"


class Team(models.Model):
    """People and the sources that they see; somebody who is in no team sees every source."""

    name = models.CharField(max_length=80, unique=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="teams")
    sources = models.ManyToManyField(Source, blank=True, related_name="teams")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class OutsideAccount(models.Model):
    """The account that belongs to a subject of an outside provider; nothing else links the two."""

    issuer = models.CharField(max_length=200)
    subject = models.CharField(max_length=255)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="outside_account"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("issuer", "subject"), name="access_outside_subject"),
        )

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"
