"""Migration operations: row-level security for a table, and foreign keys that stay inside a tenant.

PostgreSQL checks foreign keys with row-level security switched off, so a plain key could point at another tenant's row
and tell that it exists. `TenantForeignKey` puts `domain_uuid` on both sides.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Model

POLICY: Final = "tenant"
# `nullif`: once set in a session, the setting is '' and not NULL after the transaction.
CONDITION: Final = (
    "domain_uuid = nullif(current_setting('app.domain_uuid', true), '')::uuid"
    " or current_setting('app.platform', true) = 'on'"
)

PLATFORM_CONDITION: Final = "current_setting('app.platform', true) = 'on'"


class EnableTenantRls(Operation):
    """Enable and force row-level security, with the one policy, on a model's table."""

    condition: ClassVar[str] = CONDITION
    reversible = True
    reduces_to_sql = True
    atomic = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Django's models know nothing of policies."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = _table(schema_editor, to_state, app_label, self.model_name)
        schema_editor.execute(f"alter table {table} enable row level security")
        schema_editor.execute(f"alter table {table} force row level security")
        schema_editor.execute(
            f"create policy {POLICY} on {table} using ({self.condition}) with check ({self.condition})"
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = _table(schema_editor, to_state, app_label, self.model_name)
        schema_editor.execute(f"drop policy {POLICY} on {table}")
        schema_editor.execute(f"alter table {table} no force row level security")
        schema_editor.execute(f"alter table {table} disable row level security")

    def describe(self) -> str:
        return f"Force row-level security on {self.model_name}"


class EnablePlatformRls(EnableTenantRls):
    """The same for a table of the installation, which has no domain: its rows exist in `platform_context` alone."""

    condition = PLATFORM_CONDITION


class EnablePublishedRls(EnableTenantRls):
    """For a table of the installation that every tenant may read, and the platform alone may write: a price list."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = _table(schema_editor, to_state, app_label, self.model_name)
        schema_editor.execute(f"alter table {table} enable row level security")
        schema_editor.execute(f"alter table {table} force row level security")
        schema_editor.execute(f"create policy published on {table} for select using (true)")
        schema_editor.execute(
            f"create policy {POLICY} on {table} using ({PLATFORM_CONDITION}) with check ({PLATFORM_CONDITION})"
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = _table(schema_editor, to_state, app_label, self.model_name)
        schema_editor.execute(f"drop policy published on {table}")
        super().database_backwards(app_label, schema_editor, from_state, to_state)


class TenantForeignKey(Operation):
    """`foreign key (domain_uuid, <field>) references <target> (domain_uuid, <its key>)` for a field of a model.

    The field itself says `db_constraint=False`, and the target has a unique constraint on (domain, its key).
    """

    reversible = True
    reduces_to_sql = True
    atomic = True

    def __init__(self, model_name: str, field_name: str) -> None:
        self.model_name = model_name
        self.field_name = field_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Django's models have no composite foreign key."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.field_name)
        target: Any = field.related_model
        quote = schema_editor.quote_name
        schema_editor.execute(
            f"alter table {quote(model._meta.db_table)} add constraint {quote(self._name(model))}"
            f" foreign key (domain_uuid, {quote(field.column)})"
            f" references {quote(target._meta.db_table)} (domain_uuid, {quote(target._meta.pk.column)})"
            " deferrable initially immediate"
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        quote = schema_editor.quote_name
        schema_editor.execute(f"alter table {quote(model._meta.db_table)} drop constraint {quote(self._name(model))}")

    def _name(self, model: type[Model]) -> str:
        return f"{model._meta.db_table}_{self.field_name}_tenant"

    def describe(self) -> str:
        return f"Keep {self.model_name}.{self.field_name} inside its tenant"


def _table(schema_editor: BaseDatabaseSchemaEditor, state: ProjectState, app_label: str, model_name: str) -> str:
    return schema_editor.quote_name(state.apps.get_model(app_label, model_name)._meta.db_table)
