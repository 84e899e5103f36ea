from django.core.management import call_command

from alerts.models import Channel
from alerts.tests.makers import make_channel


def test_a_channel_that_might_send_nothing_may_send_one_a_minute(database: str) -> None:
    make_channel("mute", per_minute=0)
    make_channel("usual")
    call_command("migrate", "alerts", "0010", verbosity=0)
    call_command("migrate", verbosity=0)
    shares = Channel.objects.filter(name__in=("mute", "usual")).order_by("name")
    assert list(shares.values_list("per_minute", flat=True)) == [1, 30]
