"""What holds messages back, in the words of a page."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from alerts.messages import say
from alerts.messages.stored import silenced_told, stage_told
from alerts.models import MaintenanceWindow, Silence
from alerts.suppression import LATE, SILENCE, Holding


def held_words(holding: Holding, *, zone: str, now: datetime, language: str) -> str:
    """Return why nobody is told, and until when.

    Parameters
    ----------
    zone : str
        Whose clock the page shows.
    """
    if holding.kind == LATE or holding.until is None:
        words = _(
            "Nobody is notified: Guardian’s own stage %(stage)s is late, so this says nothing about"
            " the source."
        )
        return words % {"stage": stage_told(holding.name, language)}
    until = _clock(holding.until, zone, now)
    if holding.kind == SILENCE:
        words = _("Silenced until %(until)s: nobody is notified about %(what)s.")
    else:
        words = _("Maintenance “%(name)s” until %(until)s: nobody is notified about %(what)s.")
    told = words % {"until": until, "name": holding.name, "what": _subject(holding, language)}
    who = holding.name if holding.kind == SILENCE else ""
    why = silenced_told(holding.by.reason, language) if holding.by else ""
    more = " · ".join(part for part in (who, why) if part)
    return f"{told} {more}".strip()


def _subject(holding: Holding, language: str) -> str:
    """Return which incidents are meant; a silence for warnings lets what is critical through."""
    by = holding.by
    assert isinstance(by, (Silence, MaintenanceWindow))
    family = say(f"family.{by.family}", language).lower() if by.family else ""
    level = say(f"level.{by.level}", language).lower() if by.level == "WARNING" else ""
    source = str(by.source) if by.source else ""
    return " · ".join(part for part in (source, family, level) if part) or _("anything")


def _clock(moment: datetime, zone: str, now: datetime) -> str:
    local, today = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"
