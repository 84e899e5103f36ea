from django.core.management import call_command

from alerts.models import IncidentEvent, Notification
from alerts.services import absorb_anomalies
from alerts.tests.makers import at, make_anomaly, make_channel, make_source

OLD = "#7 Technical failures at Loja: 1: part of volume_low at the source above it"
NEW = "#7 Technical failures: part of volume_low at the source above it"


def test_the_sources_of_parts_are_named_no_more(database: str) -> None:
    make_channel()
    make_anomaly(source=make_source("look at #7"))
    absorb_anomalies(now=at(0))
    line = IncidentEvent.objects.get(kind="opened")
    IncidentEvent.objects.update(why=OLD)
    told = line.incident.events.create(kind="sent", why=f"updated to phone: {OLD}")
    IncidentEvent.objects.filter(pk=told.pk).update(why=f"updated to phone: {OLD}")
    said = line.incident.events.create(
        kind="commented", who="ana", why="#7 is at Loja 1: call them"
    )
    before = Notification.objects.values_list("reason", flat=True)[0]
    row = Notification.objects.create(channel=make_channel("other"), kind="updated", reason=OLD)
    call_command("migrate", "alerts", "0006", verbosity=0)
    call_command("migrate", verbosity=0)
    for one in (line, told, said, row):
        one.refresh_from_db()
    assert (line.why, told.why, row.reason) == (NEW, f"updated to phone: {NEW}", NEW)
    assert said.why == "#7 is at Loja 1: call them"
    assert Notification.objects.values_list("reason", flat=True)[1] == before
