from django.core.management import call_command

from alerts.models import Incident
from alerts.services import absorb_anomalies
from alerts.tests.makers import at, make_anomaly


def test_what_was_recorded_at_the_level_of_its_first_minute_has_that_of_its_worst(
    database: str,
) -> None:
    for minute, level in ((0, "WARNING"), (1, "CRITICAL"), (500, "WARNING")):
        make_anomaly(minute, past=True, level=level)
    absorb_anomalies(now=at(5000))
    Incident.objects.update(level="WARNING")
    call_command("migrate", "alerts", "0009", verbosity=0)
    call_command("migrate", verbosity=0)
    levels = Incident.objects.order_by("onset").values_list("level", flat=True)
    assert list(levels) == ["CRITICAL", "WARNING"]
