"""What a reviewer may attach to an approval, how full a capped version is, whom it turned away, who was nudged."""

from alembic import op

revision = "0009"
down_revision = "0012"
branch_labels = None
depends_on = None

CHANGES = """
CREATE TABLE admission (
    workspace_id INTEGER NOT NULL, version_id INTEGER NOT NULL, most INTEGER NOT NULL, taken INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_admission PRIMARY KEY (workspace_id, version_id)
);
CREATE TABLE turned_away (
    workspace_id INTEGER NOT NULL, lane SMALLINT NOT NULL, contact_id BIGINT NOT NULL, journey_id INTEGER NOT NULL,
    version_id INTEGER NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_turned_away PRIMARY KEY (workspace_id, lane, contact_id, journey_id)
);
CREATE INDEX ix_turned_away_workspace_id_journey_id_contact_id ON turned_away (workspace_id, journey_id, contact_id);
ALTER TABLE submission ADD COLUMN nudged_at TIMESTAMP WITH TIME ZONE, ADD COLUMN nudged_by TEXT;
ALTER TABLE review ADD COLUMN conditions JSONB DEFAULT '{}'::jsonb NOT NULL;
ALTER TABLE version ADD COLUMN conditions JSONB DEFAULT '{}'::jsonb NOT NULL
"""


def upgrade() -> None:
    """Make the tables and columns."""
    for statement in CHANGES.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    """Take them away again: who was turned away is forgotten, and no cap holds."""
    op.execute("ALTER TABLE version DROP COLUMN conditions")
    op.execute("ALTER TABLE review DROP COLUMN conditions")
    op.execute("ALTER TABLE submission DROP COLUMN nudged_at, DROP COLUMN nudged_by")
    for table in ("turned_away", "admission"):
        op.execute(f"DROP TABLE {table}")
