"""Runs the migrations on the connection that `Database.open` hands over."""

from alembic import context

from lineshaft.hub.state.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
