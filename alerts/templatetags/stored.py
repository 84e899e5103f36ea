"""Filters that tell a page's reader what is stored in English."""

from django import template

from alerts.messages.stored import reason_told
from alerts.selectors.live import language

register = template.Library()


@register.filter
def reason(text: object) -> str:
    return reason_told(text, language())
