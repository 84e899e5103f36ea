"""What the shared cache holds is JSON: whoever can write to Redis must not be able to run code."""

from typing import Any

import msgspec
from django_redis.serializers.base import BaseSerializer


class JSONValues(BaseSerializer):  # type: ignore[misc]
    """Numbers, strings, lists and objects of them; anything else is refused when it is stored."""

    def dumps(self, value: Any) -> bytes:
        return msgspec.json.encode(value)

    def loads(self, value: bytes) -> Any:
        return msgspec.json.decode(value)
