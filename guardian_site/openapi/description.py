"""What the API description says beyond what DRF finds out, and in which order."""

from copy import deepcopy
from typing import Any

from django.urls import is_valid_path
from drf_spectacular.openapi import AutoSchema

from guardian_site.openapi.plain_views import HEALTH, PART_HEALTH, PLAIN_VIEWS, Described
from guardian_site.openapi.subjects import SUBJECTS


class DeclaredSchema(AutoSchema):
    """Shows callers what was written for them, never the docstring of a view or of its base."""

    # The library gives its own class other parameters than DRF gives the class above it.
    def get_description(self) -> str:  # type: ignore[override]
        return ""


def tell_of_plain_views(result: Described, generator: Any, request: Any, public: bool) -> Described:
    """Add the routes whose views are not views of DRF."""
    result["components"].setdefault("schemas", {}).update(Health=HEALTH, PartHealth=PART_HEALTH)
    found = [path for path in PLAIN_VIEWS if is_valid_path(path, generator.urlconf)]
    result["paths"] = {path: deepcopy(PLAIN_VIEWS[path]) for path in found} | result["paths"]
    return result


def put_in_order(result: Described, generator: Any, request: Any, public: bool) -> Described:
    """Put the paths in the order of their subjects; within one, that of the routes stays."""
    order = {subject["name"]: place for place, subject in enumerate(SUBJECTS)}

    def place(path: str) -> int:
        operations = result["paths"][path].values()
        return min(order.get(tag, len(order)) for one in operations for tag in one["tags"])

    result["paths"] = {path: result["paths"][path] for path in sorted(result["paths"], key=place)}
    return result
