"""Which sources a message may name."""

from alerts.models import Channel, Incident
from alerts.selectors.channels import heard_sources
from alerts.selectors.people import people_who_may_act
from alerts.selectors.visibility import Seen


def sources_named(channel: Channel, incident: Incident) -> Seen:
    """Return the sources that the readers of a channel see; None is all of them.

    Of a channel that is one person's, the parts' sources on which that person may act.
    """
    if channel.owner is None:
        return heard_sources(channel)
    parts = incident.children.select_related("source")
    return frozenset(one.source_id for one in parts if channel.owner in people_who_may_act(one))
