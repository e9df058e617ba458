"""Migration operations for indexes of tables that hold data; their migration says `atomic = False`.

    operations = [AddIndexSafely(model_name="post", index=models.Index(fields=["kind"], name="post_kind"))]

Like Django's concurrent operations, and beyond them: they wait for the table a second at a time, may be killed and run
again, and end with ANALYZE.
"""

from functools import partial
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState
from django.db.models import Index, Model

from performance.indexes import building


class AddIndexSafely(AddIndexConcurrently):
    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _build(schema_editor, model, self.index)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._ensure_not_in_transaction(schema_editor)
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _remove(schema_editor, model, self.index)


class RemoveIndexSafely(RemoveIndexConcurrently):
    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._ensure_not_in_transaction(schema_editor)
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _remove(schema_editor, model, self._index(app_label, from_state))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _build(schema_editor, model, self._index(app_label, to_state))

    def _index(self, app_label: str, state: ProjectState) -> Index:
        index: Index = state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        return index


def _build(schema_editor: Any, model: type[Model], index: Index) -> None:
    create = partial(schema_editor.add_index, model, index, concurrently=True)
    drop = partial(schema_editor.remove_index, model, index, concurrently=True)
    if schema_editor.collect_sql:
        # What `sqlmigrate` shows.
        create()
    else:
        building.build(schema_editor.connection, table=model._meta.db_table, name=index.name, create=create, drop=drop)


def _remove(schema_editor: Any, model: type[Model], index: Index) -> None:
    drop = partial(schema_editor.remove_index, model, index, concurrently=True)
    if schema_editor.collect_sql:
        drop()
    else:
        building.remove(schema_editor.connection, table=model._meta.db_table, drop=drop)
