"""Steps of migrations that only TimescaleDB takes."""

from collections.abc import Callable
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython, RunSQL
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Model

from ingest.timescale.presence import has_timescale, is_cut

# A report is written and read in one statement that is planned once for all chunks, so each of
# them costs it some microseconds: thirty chunks of four weeks, not eight hundred of a day.
CHUNK_DAYS = 28


class TimescaleSQL(RunSQL):
    """One statement that is run where the extension is, and nowhere else."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if has_timescale(schema_editor.connection):
            super().database_forwards(app_label, schema_editor, *states)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if has_timescale(schema_editor.connection):
            super().database_backwards(app_label, schema_editor, *states)


def timescale_python(forwards: Callable[[], None]) -> RunPython:
    """Return a step that calls `forwards` where the extension is; undone with its table."""

    def run(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if has_timescale(schema_editor.connection):
            forwards()

    return RunPython(run, RunPython.noop)


class ToHypertable(Operation):
    """Cut a table into chunks by time; backwards it becomes one plain table again.

    A unique key of a hypertable must hold the time, which `id` alone does not. It is no key of
    its own afterwards but a column with an index: each further unique key would have to be
    compared with old chunks that are stored by columns, at the price of unpacking them.
    """

    reversible = True
    atomic = True

    def __init__(self, model_name: str, column: str, chunk_days: int = CHUNK_DAYS) -> None:
        self.model_name = model_name
        self.column = column
        self.chunk_days = chunk_days

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (type(self).__name__, [self.model_name, self.column, self.chunk_days], {})

    def describe(self) -> str:
        return f"Cut {self.model_name} into chunks by {self.column} on TimescaleDB"

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Django goes on seeing the same table."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        database = schema_editor.connection
        if not has_timescale(database) or is_cut(table, database):
            return
        for statement in (
            f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_pkey"',
            f'CREATE INDEX "{table}_id" ON "{table}" (id)',
            f"SELECT create_hypertable('{table}', by_range('{self.column}',"
            f" interval '{self.chunk_days} days'), create_default_indexes => false,"
            " migrate_data => true)",
        ):
            schema_editor.execute(statement)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if is_cut(model._meta.db_table, schema_editor.connection):
            _to_plain_table(schema_editor, model)


def _to_plain_table(schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> None:
    table, copy = model._meta.db_table, f"{model._meta.db_table}_moving"
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    schema_editor.execute(f'CREATE TABLE "{copy}" AS SELECT * FROM "{table}"')
    schema_editor.execute(f'DROP TABLE "{table}"')
    schema_editor.create_model(model)
    schema_editor.execute(f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM "{copy}"')
    schema_editor.execute(
        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"
        f' coalesce(max(id), 0) + 1, false) FROM "{table}"'
    )
    schema_editor.execute(f'DROP TABLE "{copy}"')
