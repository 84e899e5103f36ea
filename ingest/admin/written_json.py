"""JSON that people write in forms: such as every database takes and can be shown again."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Field
from django.db.models import JSONField as StoredJSON
from django.forms import JSONField
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest
from unfold.admin import ModelAdmin

# Nobody nests as deeply by hand, and Python gives up somewhere beyond.
DEEPEST = 32


class WrittenJSON(JSONField):
    """Refuses text that Python fails to read, or reads though no database could keep it."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and not _can_be_kept(value):
            raise ValidationError(self.error_messages["invalid"], "invalid", {"value": value})
        return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        if isinstance(data, str) and not _can_be_kept(data):
            return InvalidJSONInput(data)
        return super().bound_data(data, initial)


class ReadsJSON(ModelAdmin):
    """A form whose JSON fields are read so."""

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if isinstance(db_field, StoredJSON):
            kwargs["form_class"] = WrittenJSON
        return super().formfield_for_dbfield(db_field, request, **kwargs)


def _can_be_kept(written: str) -> bool:
    """Tell whether text that is JSON has a depth, numbers and characters that can be stored."""
    try:
        found = json.loads(written)
    except json.JSONDecodeError:
        return True
    except (ValueError, RecursionError):  # a number of too many digits
        return False
    if _is_deeper(found, DEEPEST):
        return False
    try:
        text = json.dumps(found, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:  # NaN, or half a character
        return False
    return "\\u0000" not in text


def _is_deeper(found: Any, levels: int) -> bool:
    if not isinstance(found, dict | list):
        return False
    inside = found.values() if isinstance(found, dict) else found
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inside)
