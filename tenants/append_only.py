"""Migration operations: a table that only ever grows, and forgets nothing but what is old.

A trigger refuses UPDATE, DELETE and TRUNCATE, also to the table's owner, whom a revoked privilege would not bind. It
fires for the statement, not for its rows: even one that would touch nothing is refused, and found out.

`Expiring` opens one way: a DELETE after `set_config('app.expire_record', 'on', true)`, of rows that are older than
LEAST_DAYS. Whatever the settings say, and whoever has the application's role: nothing younger can be made to go.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

LEAST_DAYS: Final = 90
OPEN: Final = "app.expire_record"
FUNCTION: Final = f"""
create or replace function tenants_append_only() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('{OPEN}', true) = 'on' then
    if tg_level = 'STATEMENT' then
      return null;
    elsif old.at < now() - interval '{LEAST_DAYS} days' then
      return old;
    end if;
  end if;
  raise exception using
    message = tg_table_name || ' is append-only: ' || tg_op || ' is refused', errcode = 'insufficient_privilege';
end $$
"""


class AppendOnly(Operation):
    """Refuse every change and deletion of a model's rows."""

    reversible = True
    reduces_to_sql = True
    atomic = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Django's models know nothing of triggers."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = schema_editor.quote_name(to_state.apps.get_model(app_label, self.model_name)._meta.db_table)
        schema_editor.execute(FUNCTION)
        for name, events in (("append_only", "update or delete"), ("append_only_truncate", "truncate")):
            schema_editor.execute(
                f"create trigger {name} before {events} on {table}"
                " for each statement execute function tenants_append_only()"
            )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = schema_editor.quote_name(from_state.apps.get_model(app_label, self.model_name)._meta.db_table)
        for name in ("append_only", "append_only_truncate"):
            schema_editor.execute(f"drop trigger {name} on {table}")

    def describe(self) -> str:
        return f"Let {self.model_name} only grow"


class Expiring(AppendOnly):
    """Let old rows of an append-only model be deleted: those whose `at` is more than LEAST_DAYS ago."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = schema_editor.quote_name(to_state.apps.get_model(app_label, self.model_name)._meta.db_table)
        schema_editor.execute(FUNCTION)
        schema_editor.execute(
            f"create trigger append_only_young before delete on {table}"
            " for each row execute function tenants_append_only()"
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = schema_editor.quote_name(from_state.apps.get_model(app_label, self.model_name)._meta.db_table)
        schema_editor.execute(f"drop trigger append_only_young on {table}")

    def describe(self) -> str:
        return f"Let old rows of {self.model_name} go"
