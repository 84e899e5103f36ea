"""Filters that tell a page's reader what is stored in English."""

from django import template

from alerts.messages.brief import counted
from alerts.messages.stored import (
    cause_told,
    fault_told,
    line_told,
    reason_told,
    silenced_told,
)
from alerts.models import Incident, IncidentEvent
from alerts.selectors.live import language
from detection.models import Anomaly

register = template.Library()


@register.filter
def reason(text: object) -> str:
    return reason_told(text, language())


@register.filter
def counted_of(found: Incident | Anomaly) -> str:
    return counted(found, language())


@register.filter
def line(event: IncidentEvent) -> str:
    return line_told(event, language())


@register.filter
def cause(text: str) -> str:
    return cause_told(text, language())


@register.filter
def fault(text: str) -> str:
    return fault_told(text, language())


@register.filter
def silenced(text: str) -> str:
    return silenced_told(text, language())
