"""Who can be told."""

from django.db.models import Q, QuerySet

from alerts.channels import adapter_of
from alerts.models import Channel, Incident
from ingest.models import Source


def active_channels() -> QuerySet[Channel]:
    """Return the channels that are switched on and have not been found broken."""
    return Channel.objects.filter(enabled=True, disabled=None)


def broken_channels() -> QuerySet[Channel]:
    """Return the channels that a permanent error took out of use and nobody has mended."""
    return Channel.objects.filter(enabled=True).exclude(disabled=None).order_by("name")


def named_slack_users() -> frozenset[str]:
    """Return the Slack ids in the “users” of Slack channels; empty where none names any."""
    kinds = (Channel.Kind.SLACK_BOT, Channel.Kind.SLACK_WEBHOOK)
    rows = Channel.objects.filter(enabled=True, kind__in=kinds)
    named = [channel.configuration.get("users") or () for channel in rows]
    return frozenset(str(user) for users in named for user in users)


def channels_for(incident: Incident) -> list[Channel]:
    """Return the channels that hear of this incident.

    Of a part only those that do not hear of its root: for them it is all there is to tell.
    """
    found = _listening_to(incident.source)
    if incident.parent is not None:
        told_of_all = {channel.pk for channel in _listening_to(incident.parent.source)}
        found = [channel for channel in found if channel.pk not in told_of_all]
    return found


def _listening_to(source: Source) -> list[Channel]:
    mine = Q(sources=None) | Q(sources=source)
    if source.parent_id is not None:
        mine |= Q(sources=source.parent_id)
    found = active_channels().filter(mine, owner=None, standby=False).distinct().order_by("id")
    return [channel for channel in found if adapter_of(channel).configured(channel)]
