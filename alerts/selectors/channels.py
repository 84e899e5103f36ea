"""Who can be told."""

from collections.abc import Collection, Iterable

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from alerts.channels import adapter_of
from alerts.models import Channel, Incident
from alerts.selectors.people import TO_READ, sources_of
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


def heard_sources(channel: Channel) -> frozenset[int] | None:
    """Return the sources of which the channel hears, those below its own too; None is all."""
    own = channel.sources.values("pk")
    if not own.exists():
        return None
    found = Source.objects.filter(Q(pk__in=own) | Q(parent__in=own))
    return frozenset(found.values_list("pk", flat=True))


def readable_sources(channel: Channel) -> frozenset[int] | None:
    """Return the sources of which the channel may read: if it is a person's, those they see too.

    None is all of them.
    """
    heard = heard_sources(channel)
    seen = None if channel.owner is None else sources_of(channel.owner)
    if heard is None or seen is None:
        return seen if heard is None else heard
    return heard & seen


def has_reader(channel: Channel) -> bool:
    """Say whether anybody may read in the channel: a person's is shut with their account."""
    return channel.owner is None or channel.owner.has_perm(TO_READ)


def channels_for(incident: Incident) -> list[Channel]:
    """Return the channels that hear of this incident.

    Of a part only those that hear nothing of its root hear.
    """
    if incident.parent is None:
        return _usable(Q(sources=None) | _naming(incident.source))
    # Channels that hear of every source hear of the root already.
    found = _usable(_naming(incident.source))
    if not found:
        return []
    told_of_all = {channel.pk for channel in _usable(_naming(incident.parent.source))}
    return [channel for channel in found if channel.pk not in told_of_all]


def named_among(sources: Collection[int]) -> set[int]:
    """Return those of the sources that some channel lists by name."""
    rows = Channel.sources.through.objects.filter(source__in=sources)
    heard = rows.filter(channel__enabled=True, channel__owner=None, channel__standby=False)
    return set(heard.values_list("source", flat=True))


def _naming(source: Source) -> Q:
    above = Q() if source.parent_id is None else Q(sources=source.parent_id)
    return Q(sources=source) | above


def _usable(mine: Q) -> list[Channel]:
    rows = Channel.objects.filter(mine, enabled=True, owner=None, standby=False)
    return speakers(rows.distinct().order_by("id"))


def own_channels(person: User) -> list[Channel]:
    """Return the channels of this person, each replaced by its backup while it cannot send."""
    return speakers(Channel.objects.filter(owner=person, enabled=True).order_by("id"))


def people_with_channels(people: Iterable[User]) -> frozenset[int]:
    """Return the ids of the people who have a channel of their own that can send."""
    mine = Channel.objects.filter(owner__in=list(people), enabled=True)
    rows = mine.select_related("backup").order_by("id")
    return frozenset(row.owner_id for row in rows if row.owner_id is not None and speakers([row]))


def speakers(channels: Iterable[Channel]) -> list[Channel]:
    """Return these channels, each replaced by its backup while it cannot send."""
    found = [channel if _can_speak(channel) else backup_of(channel) for channel in channels]
    return list({channel.pk: channel for channel in found if channel is not None}.values())


def backup_of(channel: Channel) -> Channel | None:
    """Return the first usable channel down the line of backups, each asked once."""
    seen, backup = {channel.pk}, channel.backup
    while backup is not None and backup.pk not in seen:
        if _can_speak(backup):
            return backup
        seen.add(backup.pk)
        backup = backup.backup
    return None


def _can_speak(channel: Channel) -> bool:
    in_use = channel.enabled and channel.disabled is None
    return in_use and adapter_of(channel).configured(channel)
