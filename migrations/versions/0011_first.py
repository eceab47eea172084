"""Lists of many journeys: the first of each state, and how many there are, from an index alone."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One index in place of another."""
    op.execute(
        "CREATE INDEX ix_journey_first ON journey (workspace_id, status, id) INCLUDE (scope) WHERE archived_at IS NULL"
    )
    op.execute("DROP INDEX ix_journey_workspace_id_status")


def downgrade() -> None:
    """The other way round."""
    op.execute("CREATE INDEX ix_journey_workspace_id_status ON journey (workspace_id, status)")
    op.execute("DROP INDEX ix_journey_first")
