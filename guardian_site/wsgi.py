"""WSGI entry point: `granian --interface wsgi guardian_site.wsgi:application`."""

import gc
import os
import sys

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardian_site.settings")

_site = get_wsgi_application()

from guardian_site.web import home_core  # noqa: E402  what follows needs the apps to be ready
from guardian_site.web.doors import with_doors  # noqa: E402
from guardian_site.web.slow_bodies import with_prompt_bodies  # noqa: E402
from guardian_site.web.utf8_request import Utf8Request  # noqa: E402
from ingest.repeats import store  # noqa: E402

_site.request_class = Utf8Request
store.connect()
# What is loaded by now stays loaded: the garbage collector need not scan it again and again.
gc.collect()
gc.freeze()
# A batch computes for tens of milliseconds. A report answered meanwhile needs the interpreter's
# lock several times, and waits up to this long for it each time [s]: a fifth of the default.
sys.setswitchinterval(0.001)
application = with_prompt_bodies(with_doors(_site), settings.GUARDIAN_WEB_THREADS)

if settings.GUARDIAN_WEB_HOME_CORE:
    home_core.settle()

if settings.GUARDIAN_TRACING:
    from guardian_site.tracing.requests import traced_site

    application = traced_site(application)
