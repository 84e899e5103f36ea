"""Settings of the test suite: the same, with eager tasks and no rate limit."""

import os
import tempfile

os.environ.setdefault("GUARDIAN_DATA_DIR", tempfile.mkdtemp(prefix="guardian-test-"))
os.environ.setdefault("GUARDIAN_RATE_LIMIT", "off")

from guardian_site.settings import *  # noqa: F403

CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
