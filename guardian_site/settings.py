"""All settings, from the environment. With none set this is embedded mode; see README.md."""

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.utils.translation import gettext

from guardian_site import environment as env
from guardian_site.schedule import BEAT_SCHEDULE, TASK_ROUTES
from guardian_site.settings_access import *  # noqa: F403
from guardian_site.settings_access import ACCESS_APPS, jwt_keys
from guardian_site.settings_api import *  # noqa: F403
from guardian_site.settings_broker import broker_at
from guardian_site.settings_database import *  # noqa: F403
from guardian_site.settings_database import database_at
from guardian_site.settings_storage import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.folder("GUARDIAN_DATA_DIR", BASE_DIR / "var")

# Where things are --------------------------------------------------------------------------------
DATABASE_URL = env.text("DATABASE_URL")
REDIS_URL = env.address("REDIS_URL", schemes=env.REDIS, example="redis://host:6379/0")
EMBEDDED = not DATABASE_URL and not REDIS_URL
GUARDIAN_HOST = env.listening_host("GUARDIAN_HOST", "127.0.0.1")
GUARDIAN_PORT = env.whole("GUARDIAN_PORT", 8001, 1, 65535)
GUARDIAN_OWN_ADDRESS = env.own_address(GUARDIAN_HOST, GUARDIAN_PORT)
GUARDIAN_URL = env.address("GUARDIAN_URL", f"http://localhost:{GUARDIAN_PORT}").rstrip("/")

# Behaviour ---------------------------------------------------------------------------------------
GUARDIAN_RATE_LIMIT = env.text("GUARDIAN_RATE_LIMIT", "100/m")
GUARDIAN_REQUIRE_API_KEY = env.flag("GUARDIAN_REQUIRE_API_KEY")
# Who may read without signing in: anybody, where nobody but this machine can ask.
GUARDIAN_PUBLIC_READ = env.flag("GUARDIAN_PUBLIC_READ", EMBEDDED and env.is_loopback(GUARDIAN_HOST))
GUARDIAN_PUBLIC_METRICS = env.flag("GUARDIAN_PUBLIC_METRICS", True)
GUARDIAN_TRUSTED_PROXIES = env.machines("GUARDIAN_TRUSTED_PROXIES")
GUARDIAN_MAX_SKEW_SECONDS = env.whole("GUARDIAN_MAX_SKEW_SECONDS", 300, 0, 86400)
GUARDIAN_CACHE_SECONDS = env.whole("GUARDIAN_CACHE_SECONDS", 60, 0, 86400)
# How long after its end a minute may still fill before it is judged as complete.
GUARDIAN_GRACE_SECONDS = env.whole("GUARDIAN_GRACE_SECONDS", 20, 0, 3600)
# Where a worker or beat answers /metrics; 0 for nowhere.
GUARDIAN_METRICS_PORT = env.whole("GUARDIAN_METRICS_PORT", 0, 0, 65535)
# /metrics tells how much is free on the disk that holds this folder. Where the database is on a
# server, only the operator knows a folder on its disk; the data folder says nothing about it.
_DISK = env.text("GUARDIAN_DISK_PATH") or ("" if DATABASE_URL else str(DATA_DIR))
GUARDIAN_DISK_PATH = Path(_DISK) if _DISK else None
# At most this many sources are named in /metrics, since Prometheus pays for every series.
GUARDIAN_METRICS_SOURCES = env.whole("GUARDIAN_METRICS_SOURCES", 50, 0, 1000)
GUARDIAN_LOG_LEVEL = env.choice(
    "GUARDIAN_LOG_LEVEL", "INFO", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"
)
GUARDIAN_LOG_FORMAT = env.choice("GUARDIAN_LOG_FORMAT", "line", "line", "json")
GUARDIAN_RUNBOOKS = {
    family: f"{GUARDIAN_URL}/runbooks/{family}"
    for family in (
        *("decline", "technical_failure", "reversal", "volume_low", "volume_high"),
        *("silence", "code_mix"),
    )
}
GUARDIAN_TIME_ZONE = env.zone("GUARDIAN_TIME_ZONE", "UTC")
GUARDIAN_LANGUAGE = env.choice("GUARDIAN_LANGUAGE", "en", "en", "pt-br")
# Several web processes need Redis, the cache that they share.
GUARDIAN_WEB_WORKERS = env.whole("GUARDIAN_WEB_WORKERS", 2 if REDIS_URL else 1, 1, 64)
GUARDIAN_WEB_THREADS = env.whole("GUARDIAN_WEB_THREADS", 32, 1, 512)
# Off by default, since any process may import the application; what starts a web server sets it.
GUARDIAN_WEB_HOME_CORE = env.flag("GUARDIAN_WEB_HOME_CORE")
SLACK_WEBHOOK_URL = env.address("SLACK_WEBHOOK_URL", example="https://hooks.slack.com/services/…")
SLACK_BOT_TOKEN = env.text("SLACK_BOT_TOKEN")
SLACK_CHANNEL = env.text("SLACK_CHANNEL")
SLACK_SIGNING_SECRET = env.text("SLACK_SIGNING_SECRET")
TELEGRAM_BOT_TOKEN = env.text("TELEGRAM_BOT_TOKEN")
# Asked every minute while the whole way from a report to a message is well: a dead man's switch.
GUARDIAN_HEARTBEAT_URL = env.address("GUARDIAN_HEARTBEAT_URL")
# Nobody is called for a minute that is older than this when it is judged.
GUARDIAN_PAST_MINUTES = env.whole("GUARDIAN_PAST_MINUTES", 15, 1, 1440)
# A warning waits so long before it is told, unless it becomes critical.
GUARDIAN_WARNING_WAIT_MINUTES = env.whole("GUARDIAN_WARNING_WAIT_MINUTES", 3, 0, 1440)
# The bearer token that Alertmanager sends to POST /webhook/alert.
GUARDIAN_WEBHOOK_TOKEN = env.text("GUARDIAN_WEBHOOK_TOKEN")

# Django ------------------------------------------------------------------------------------------
DEBUG = env.flag("GUARDIAN_DEBUG")
# On loopback a key that is made once and kept will do; to listen to others one must be given.
SECRET_KEY = (
    env.kept_secret("GUARDIAN_SECRET_KEY", DATA_DIR / "secret_key")
    if env.is_loopback(GUARDIAN_HOST)
    else env.secret("GUARDIAN_SECRET_KEY")
)
GUARDIAN_JWT_KEYS = jwt_keys(SECRET_KEY)
ALLOWED_HOSTS = env.names(
    "GUARDIAN_ALLOWED_HOSTS",
    "localhost,127.0.0.1,[::1]" + (f",{env.bracketed(GUARDIAN_HOST)}" if EMBEDDED else ""),
)
# Probes are answered under this name, whatever else is allowed (guardian_site.web.probes).
if "localhost" not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append("localhost")
CSRF_FAILURE_VIEW = "guardian_site.web.problems.not_from_here"
CSRF_TRUSTED_ORIGINS = env.origins("GUARDIAN_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_prometheus",
    "guardian_site",
    "ingest",
    "detection",
    "alerts",
    *ACCESS_APPS,
]

MIDDLEWARE = [
    "guardian_site.web.request_ids.RequestIds",
    "guardian_site.web.probes.Probes",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "guardian_site.web.rate_limit.RateLimit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "guardian_site.access.auditing.WhoChanges",
    "guardian_site.access.middleware.RouteRules",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "guardian_site.web.page_headers.PageHeaders",
    "guardian_site.web.api_language.ApiLanguage",
    "guardian_site.web.odd_addresses.OddAddresses",
    "axes.middleware.AxesMiddleware",
    "guardian_site.telemetry.measured_requests.MeasuredRequests",
]

ROOT_URLCONF = "guardian_site.urls"
WSGI_APPLICATION = "guardian_site.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database_at(DATABASE_URL, otherwise=DATA_DIR / "guardian.sqlite3")}

if REDIS_URL:
    CACHES: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "guardian",
            "OPTIONS": {
                # A lost Redis makes answers slower, never wrong: reads miss, writes are dropped.
                "IGNORE_EXCEPTIONS": True,
                "SERIALIZER": "guardian_site.cache_values.JSONValues",
                "CONNECTION_POOL_CLASS": "guardian_site.cache_connections.WatchedPool",
                "SOCKET_CONNECT_TIMEOUT": 0.5,
                "SOCKET_TIMEOUT": 0.5,
            },
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": "guardian",
            "OPTIONS": {"MAX_ENTRIES": 50_000},
        }
    }
    # Embedded mode has one web process, so all requests share its cache.
    SILENCED_SYSTEM_CHECKS = ["django_ratelimit.E003", "django_ratelimit.W001"]
RATELIMIT_FAIL_OPEN = True

LANGUAGE_CODE = GUARDIAN_LANGUAGE
LANGUAGES = [("en", "English"), ("pt-br", "Português do Brasil")]
FORMAT_MODULE_PATH = "guardian_site.formats"

TIME_ZONE = GUARDIAN_TIME_ZONE
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
# Other parts of the stack call these by host name, without TLS; the webhook asks for its token.
SECURE_REDIRECT_EXEMPT = [r"^health", r"^metrics(/json)?$", r"^webhook/alert$"]
X_FRAME_OPTIONS = "DENY"
if env.flag("GUARDIAN_HTTPS"):
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
CONTENT_SECURITY_POLICY = {
    # The strict policy; guardian_site.web.page_headers loosens it for pages that are not ours.
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "style-src": [SELF],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
    },
}

# Celery ------------------------------------------------------------------------------------------
# Embedded mode: `manage.py run` starts a Valkey and hands its address down in this variable.
CELERY_BROKER_URL = broker_at(
    env.address("GUARDIAN_BROKER_URL", schemes=(*env.REDIS, "filesystem"))
    or REDIS_URL
    or "filesystem://"
)
if CELERY_BROKER_URL == "filesystem://":
    BROKER_DIR = DATA_DIR / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.02,
    }
else:
    # Longer than any task may run, so that a task is not handed out twice while it still runs.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 5}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TASK_SOFT_TIME_LIMIT = 1700
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "detect"
CELERY_TASK_ROUTES = TASK_ROUTES
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BEAT_SCHEDULER = "guardian_site.steady_beat:SteadyScheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")

# Metrics -----------------------------------------------------------------------------------------
# Processes that count together do so in files of this folder, which has to exist.
if COUNTS_DIR := env.text("PROMETHEUS_MULTIPROC_DIR"):
    env.made(Path(COUNTS_DIR), "PROMETHEUS_MULTIPROC_DIR")
# The targets (P95 under 200 ms, P99 under 500 ms) are bucket edges, so they can be read exactly.
PROMETHEUS_LATENCY_BUCKETS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2),
    *(0.35, 0.5, 1.0, 2.5, 5.0, 10.0, float("inf")),
)

# Traces ------------------------------------------------------------------------------------------
# Off, and nothing of them is imported, until the standard variables name a collector.
TRACE_COLLECTORS = [
    env.address(f"OTEL_EXPORTER_OTLP_{which}", example="http://collector:4318")
    for which in ("ENDPOINT", "TRACES_ENDPOINT")
]
# Headers that the collector asks for, such as a key; the SDK itself cannot read them from a file.
GUARDIAN_TRACE_HEADERS = env.text("OTEL_EXPORTER_OTLP_TRACES_HEADERS") or env.text(
    "OTEL_EXPORTER_OTLP_HEADERS"
)
GUARDIAN_TRACING = (
    any(TRACE_COLLECTORS)
    and env.text("OTEL_TRACES_EXPORTER", "otlp") == "otlp"
    and not env.flag("OTEL_SDK_DISABLED")
)

# Logs --------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "guardian_site.telemetry.logging.LineFormatter"},
        "json": {"()": "guardian_site.telemetry.logging.JsonFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json" if GUARDIAN_LOG_FORMAT == "json" else "line",
        }
    },
    "root": {"handlers": ["stderr"], "level": GUARDIAN_LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
        # Sign-ins are in its table; below WARNING it logs its housekeeping.
        "axes": {"level": "WARNING"},
        # Below WARNING it logs every task.
        "celery": {"level": "WARNING"},
    },
}

# The blue of the pages, from the palest to the darkest, as the admin theme wants it.
ADMIN_BLUES = {
    "50": "#eef3ff",
    "100": "#dbe6ff",
    "200": "#bcd0ff",
    "300": "#93b2ff",
    "400": "#7aa7ff",
    "500": "#3f73ec",
    "600": "#1f4fd1",
    "700": "#1b44b4",
    "800": "#173a97",
    "900": "#142f78",
    "950": "#0d1f50",
}
UNFOLD = {
    "SITE_TITLE": "Transaction Guardian",
    "SITE_HEADER": "Transaction Guardian",
    # On every page, since its lists and forms show times without their zone.
    "SITE_SUBHEADER": lambda request: f"{gettext('times in')} {GUARDIAN_TIME_ZONE}",
    "SITE_ICON": lambda request: static("guardian/favicon.svg"),
    "COLORS": {"primary": ADMIN_BLUES},
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("guardian/favicon.svg"),
        }
    ],
    "DASHBOARD_CALLBACK": "alerts.views.desk.admin_desk",
    "SHOW_VIEW_ON_SITE": True,
    "SITE_URL": "/",
}
