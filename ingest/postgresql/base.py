import contextlib
from typing import Any

from django.db.backends.postgresql import base

from ingest.postgresql.pool import unless_away


class DatabaseWrapper(base.DatabaseWrapper):
    """Connections of the pool, refused at once where the database was away a moment ago."""

    def get_new_connection(self, conn_params: Any) -> Any:
        with unless_away(self.pool) if self.pool else contextlib.nullcontext():
            return super().get_new_connection(conn_params)
