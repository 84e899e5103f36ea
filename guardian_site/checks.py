"""System checks that stop the start on a bad setting and say what to set."""

import math
import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from detection import conf
from guardian_site import environment

# Setting of the former system -> the one that replaces it.
FORMER_SETTINGS = {
    **dict.fromkeys(("TELEGRAM_TOKEN", "ADMIN_CHAT_ID", "BOT_PASSWORD"), "TELEGRAM_BOT_TOKEN"),
    "JWT_SECRET": "GUARDIAN_JWT_KEYS",
    "REDIS_HOST": "REDIS_URL",
    **dict.fromkeys(("DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME"), "DATABASE_URL"),
    **dict.fromkeys(("DB_POOL_MIN", "DB_POOL_MAX"), "GUARDIAN_DB_POOL"),
}
RATE = re.compile(r"^[1-9]\d{0,8}/[smhd]$")
LONGEST_WARNING_WAIT = 60
# What Django accepts as an allowed host: a name, an address, or * for any.
HOST = re.compile(r"^(\*|[a-z0-9.-]+|\[[a-f0-9]*:[a-f0-9.:]+\])$", re.ASCII)


def _rate_limit() -> Iterator[CheckMessage]:
    rate = settings.GUARDIAN_RATE_LIMIT
    if rate != "off" and not RATE.match(rate):
        yield Error(
            f"GUARDIAN_RATE_LIMIT={rate} is not a rate.",
            hint="Write requests/period such as 100/m (s, m, h or d), or off.",
            id="guardian.E001",
        )


def _shared_cache() -> Iterator[CheckMessage]:
    # Without one, each worker has its own rate limits, repeats and signatures already seen.
    if not settings.REDIS_URL and settings.GUARDIAN_WEB_WORKERS > 1:
        yield Error(
            "Several web workers need a cache that they share.",
            hint="Set REDIS_URL, or GUARDIAN_WEB_WORKERS=1.",
            id="guardian.E005",
        )


def _slack() -> Iterator[CheckMessage]:
    url = urlsplit(settings.SLACK_WEBHOOK_URL)
    loopback = url.hostname in ("localhost", "127.0.0.1", "::1")
    if settings.SLACK_WEBHOOK_URL and ((url.scheme != "https" and not loopback) or not url.netloc):
        yield Error(
            "SLACK_WEBHOOK_URL is not an https:// address.",
            hint="Copy it from Slack's “Incoming Webhooks” page; it begins with https://hooks.slack.com/.",
            id="guardian.E006",
        )
    if bool(settings.SLACK_BOT_TOKEN) != bool(settings.SLACK_CHANNEL):
        yield Error(
            "SLACK_BOT_TOKEN and SLACK_CHANNEL belong together.",
            hint="Set both (the channel's id begins with C), or neither.",
            id="guardian.E007",
        )


def _exposure() -> Iterator[CheckMessage]:
    open_to_others = not environment.is_loopback(settings.GUARDIAN_HOST)
    if settings.EMBEDDED and open_to_others and not settings.GUARDIAN_REQUIRE_API_KEY:
        yield Error(
            f"GUARDIAN_HOST={settings.GUARDIAN_HOST} would let anybody report transactions.",
            hint="Set GUARDIAN_REQUIRE_API_KEY=on, or listen on 127.0.0.1.",
            id="guardian.E008",
        )
    if settings.DEBUG and open_to_others:
        yield Error(
            f"GUARDIAN_HOST={settings.GUARDIAN_HOST} would show anybody the inside of a fault.",
            hint="Leave GUARDIAN_DEBUG out, or listen on 127.0.0.1.",
            id="guardian.E014",
        )


def _folder() -> Iterator[CheckMessage]:
    if not os.access(settings.DATA_DIR, os.W_OK):
        yield Error(
            f"GUARDIAN_DATA_DIR={settings.DATA_DIR} cannot be written to.",
            hint="Name a folder this user may write to.",
            id="guardian.E009",
        )
    # Only its free space is read, so it need not be writable.
    if settings.GUARDIAN_DISK_PATH is not None and not settings.GUARDIAN_DISK_PATH.exists():
        yield Error(
            f"GUARDIAN_DISK_PATH={settings.GUARDIAN_DISK_PATH} is not there.",
            hint="Name a folder on the disk whose free space /metrics is to tell.",
            id="guardian.E012",
        )


def _hosts() -> Iterator[CheckMessage]:
    own = environment.bracketed(settings.GUARDIAN_HOST)
    for host in settings.ALLOWED_HOSTS:
        if host != own and not HOST.match(host.lower()):
            yield Error(
                f"GUARDIAN_ALLOWED_HOSTS: no request comes for {host}.",
                hint="Write names alone, such as guardian.example.com, .example.com (with all below"
                " it) or [::1]: no https://, no port.",
                id="guardian.E013",
            )


def _warning_wait() -> Iterator[CheckMessage]:
    wait: object = settings.GUARDIAN_WARNING_WAIT_MINUTES
    if not isinstance(wait, int) or not 0 <= wait <= LONGEST_WARNING_WAIT:
        yield Error(
            f"GUARDIAN_WARNING_WAIT_MINUTES={wait}: nobody would hear of a warning in time.",
            hint=f"Write whole minutes, 0 (tell at once) to {LONGEST_WARNING_WAIT}. To hear nothing"
            " at night, give the channel quiet hours.",
            id="guardian.E010",
        )


def _grace() -> Iterator[CheckMessage]:
    judged = conf.replay_age()
    if judged > conf.past_limit():
        minutes = math.ceil(judged / conf.MINUTE)
        yield Error(
            f"GUARDIAN_GRACE_SECONDS={settings.GUARDIAN_GRACE_SECONDS}: minutes would be older than"
            f" GUARDIAN_PAST_MINUTES={settings.GUARDIAN_PAST_MINUTES} when they are judged, and"
            " nobody would be called.",
            hint=f"Set GUARDIAN_PAST_MINUTES={minutes} or more, or wait less for late counts.",
            id="guardian.E011",
        )


@register("guardian")
def settings_can_run(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """Refuse settings with which Guardian would start and then fail or lie."""
    parts = (_rate_limit, _shared_cache, _slack, _exposure, _folder, _hosts, _warning_wait, _grace)
    return [message for part in parts for message in part()]


@register(Tags.security, deploy=True)
def reports_need_a_key(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """Warn when a deployment takes reports from anybody."""
    if settings.GUARDIAN_REQUIRE_API_KEY:
        return []
    return [
        Warning(
            "Anybody who reaches the API may report transactions.",
            hint="Set GUARDIAN_REQUIRE_API_KEY=on and give each source a key.",
            id="guardian.W001",
        )
    ]


@register("guardian")
def no_former_setting_is_ignored(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """Warn of each setting of the former system that is still set, and name its replacement."""
    return [
        Warning(
            f"{former} is a setting of the former system: it does nothing.",
            hint=f"Set {new}; deploy/docs/former-system.md says what took its place.",
            id="guardian.W004",
        )
        for former, new in FORMER_SETTINGS.items()
        # Another program may use such a name; whoever has set the replacement knows it.
        if os.environ.get(former) and not environment.text(new)
    ]
