"""What Alembic runs; ``passflow.store.migrate`` hands it an open transaction."""

from alembic import context

from passflow.store.migrations import OPTIONS
from passflow.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    **OPTIONS,
)
context.run_migrations()
