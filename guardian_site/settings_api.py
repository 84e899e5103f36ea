"""Settings of the API: what it reads and answers, and how it describes itself."""

from guardian_site.openapi.subjects import SUBJECTS

# The version of Guardian as a whole, its API included.
GUARDIAN_VERSION = "3.0.0"

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["guardian_site.web.strict_json.StrictJSON"],
    "EXCEPTION_HANDLER": "guardian_site.web.problems.one_form",
    "DEFAULT_SCHEMA_CLASS": "guardian_site.openapi.description.DeclaredSchema",
    "UNAUTHENTICATED_USER": None,
    # guardian_site.access.middleware enforces the rules of the routes before any view runs.
    "DEFAULT_AUTHENTICATION_CLASSES": ["guardian_site.access.authentication.AlreadyIdentified"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Transaction Guardian",
    "DESCRIPTION": (
        "Send counts of transactions, read verdicts, anomalies and incidents.\n\n"
        "Show who you are by `Authorization: Bearer` with a token, or by `X-API-Key` with a key. "
        "A refusal says in `detail` what is wrong, and in `errors` where: each with its `field` "
        "and `message`. A field that a body does not know is refused by name; only reports, and "
        "what standards and vendors send, may hold more."
    ),
    "VERSION": GUARDIAN_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "TAGS": SUBJECTS,
    # In the order of the routes; guardian_site.openapi.description sorts them by subject.
    "SORT_OPERATIONS": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # The description is not sent to an outside validator.
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "validatorUrl": None,
        "defaultModelsExpandDepth": 0,
    },
    "REDOC_DIST": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "guardian_site.openapi.description.tell_of_plain_views",
        "guardian_site.openapi.description.put_in_order",
        "guardian_site.access.openapi.tell_who_may",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AlertLevel": "detection.models.Level",
        "TransactionStatus": "ingest.models.Status",
        "FamilyName": "detection.models.Family",
        "VerdictLevel": "ingest.openapi.LEVELS",
        "IncidentState": "alerts.lifecycle.State",
        "IncidentFamily": "alerts.models.incident.FAMILIES",
        "KeyScope": "guardian_site.access.serializers.SCOPE_WORDS",
    },
}
