"""What the live pages read: tallies by span of time, who left early, contacts by the first letters of their names."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CHANGES = """
CREATE TABLE tally_span (
    workspace_id INTEGER NOT NULL, journey_id INTEGER NOT NULL, minutes INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL, version_id INTEGER NOT NULL, node TEXT NOT NULL, port TEXT NOT NULL,
    count BIGINT NOT NULL,
    CONSTRAINT pk_tally_span PRIMARY KEY (workspace_id, minutes, journey_id, at, version_id, node, port)
);
CREATE INDEX ix_tally_span_short ON tally_span (at) WHERE minutes = 5;
CREATE INDEX ix_tally_hour_workspace_id_journey_id_hour ON tally_hour (workspace_id, journey_id, hour);
INSERT INTO tally_span (workspace_id, journey_id, minutes, at, version_id, node, port, count)
    SELECT workspace_id, journey_id, 0, '1970-01-01T00:00:00Z', version_id, node, port, sum(count)
    FROM tally_hour GROUP BY 1, 2, 5, 6, 7;
INSERT INTO tally_span (workspace_id, journey_id, minutes, at, version_id, node, port, count)
    SELECT workspace_id, journey_id, 1440, date_trunc('day', hour, 'UTC'), version_id, node, port, sum(count)
    FROM tally_hour GROUP BY 1, 2, 4, 5, 6, 7;
CREATE INDEX ix_enrollment_over ON enrollment (version_id, status, id) WHERE status IN (2, 3);
CREATE INDEX ix_contact_name ON contact (workspace_id, (lower(attributes ->> 'name') COLLATE "C"), id)
    WHERE attributes ? 'name' AND merged_into IS NULL
"""


def upgrade() -> None:
    """Make the table and the indexes, and sum what has been counted so far."""
    for statement in CHANGES.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    """Take them away again; the hours they were summed from stay."""
    op.execute("DROP INDEX ix_contact_name, ix_enrollment_over, ix_tally_hour_workspace_id_journey_id_hour")
    op.execute("DROP TABLE tally_span")
