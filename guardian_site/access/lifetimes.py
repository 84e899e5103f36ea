"""How long the tokens of the API live."""

from datetime import timedelta

from django.conf import settings

ACCESS_LIFETIME = timedelta(minutes=settings.GUARDIAN_TOKEN_MINUTES)
REFRESH_LIFETIME = timedelta(days=7)
