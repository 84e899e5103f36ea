import contextlib
from types import TracebackType
from typing import Any

from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property
from psycopg.errors import ReadOnlySqlTransaction

from ingest.postgresql.pool import ended_if_read_only, unless_away


class _Faults(DatabaseErrorWrapper):
    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Django forgets a fault as soon as the transaction is rolled back.
        if isinstance(value, ReadOnlySqlTransaction):
            self.wrapper.refused_a_write = True  # type: ignore[attr-defined]
        super().__exit__(kind, value, traceback)


class DatabaseWrapper(base.DatabaseWrapper):
    """Connections of the pool, refused at once where the database was away a moment ago.

    One that takes no writes is not lent again.
    """

    refused_a_write = False

    @cached_property
    def wrap_database_errors(self) -> _Faults:
        return _Faults(self)

    def get_new_connection(self, conn_params: Any) -> Any:
        self.refused_a_write = False
        with unless_away(self.pool) if self.pool else contextlib.nullcontext():
            return super().get_new_connection(conn_params)

    def is_usable(self) -> bool:
        return super().is_usable() and not ended_if_read_only(self.connection)

    def _close(self) -> None:
        if self.connection is not None and (self.refused_a_write or self.errors_occurred):
            self.is_usable()
        super()._close()  # type: ignore[misc]
