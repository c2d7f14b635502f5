"""Runs the migrations inside the transaction that `migrate.py` has begun."""

from alembic import context

from integration.adapters.store.tables.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
