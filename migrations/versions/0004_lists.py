"""The indexes of lists: journeys by last change and name, whole numbers, what waits for review, what was put aside."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CHANGES = """
CREATE INDEX ix_journey_changed ON journey (workspace_id, updated_at, id);
CREATE INDEX ix_journey_name ON journey (workspace_id, (lower(name)), id);
CREATE INDEX ix_tally_span_whole ON tally_span (workspace_id, journey_id) INCLUDE (port, count)
    WHERE minutes = 0 AND node = '';
CREATE INDEX ix_submission_open ON submission (workspace_id, id) WHERE status = 'open';
CREATE INDEX ix_dead_workspace_id_id ON dead (workspace_id, id)
"""


def upgrade() -> None:
    """Make the indexes."""
    for statement in CHANGES.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    """Take them away again."""
    op.execute(
        "DROP INDEX ix_journey_changed, ix_journey_name, ix_tally_span_whole, ix_submission_open, ix_dead_workspace_id_id"
    )
