from django.core.management import call_command

from alerts.models import Notification
from alerts.tests.makers import at, make_channel


def test_what_waits_for_the_morning_at_an_upgrade_is_late_from_then_on(database: str) -> None:
    channel = make_channel()
    rows = {
        "held": Notification(due=at(480)),
        "at once": Notification(due=at(0)),
        "tried": Notification(due=at(480), attempts=3),
        "sent": Notification(due=at(480), state="sent"),
        "known": Notification(due=at(480), held_until=at(5)),
    }
    for row in rows.values():
        row.channel, row.kind, row.created = channel, "test", at(0)
        row.save()
    call_command("migrate", "alerts", "0004", verbosity=0)
    call_command("migrate", verbosity=0)
    found = {name: Notification.objects.get(pk=row.pk).held_until for name, row in rows.items()}
    assert found == {
        "held": at(480),
        "at once": None,
        "tried": None,
        "sent": None,
        "known": at(5),
    }
