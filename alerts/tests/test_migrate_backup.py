import pytest
from django.core.management import call_command

from alerts.models import Channel
from alerts.tests.makers import make_channel


@pytest.mark.parametrize(
    ("standby", "mark", "backup"),
    [(True, "w", "slack-webhook"), (False, "w", None), (True, "", None)],
)
def test_a_webhook_that_stood_by_for_nobody_backs_up_the_bot(
    database: str, standby: bool, mark: str, backup: str | None
) -> None:
    make_channel("slack", "slack_bot", builtin=True, fingerprint="b")
    make_channel("slack-webhook", "slack_webhook", builtin=True, standby=standby, fingerprint=mark)
    call_command("migrate", "alerts", "0008", verbosity=0)
    call_command("migrate", verbosity=0)
    bot = Channel.objects.select_related("backup").get(name="slack")
    assert (bot.backup and bot.backup.name) == backup
