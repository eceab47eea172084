"""What plans reach and spend, whom a season kept out, and the season of a version beside its document."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CHANGES = """
ALTER TABLE version ADD COLUMN season JSONB;
CREATE INDEX ix_version_season ON version (workspace_id, journey_id) WHERE season IS NOT NULL;
CREATE TABLE turned_away (
    workspace_id INTEGER NOT NULL, lane SMALLINT NOT NULL, contact_id BIGINT NOT NULL, journey_id INTEGER NOT NULL,
    reason TEXT NOT NULL, version_id INTEGER NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, times INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_turned_away PRIMARY KEY (workspace_id, lane, contact_id, journey_id, reason)
);
CREATE TABLE plan_spending (
    workspace_id INTEGER NOT NULL, plan_id INTEGER NOT NULL, committed NUMERIC DEFAULT 0 NOT NULL,
    CONSTRAINT pk_plan_spending PRIMARY KEY (workspace_id, plan_id)
);
CREATE TABLE plan_reading (
    workspace_id INTEGER NOT NULL, plan_id INTEGER NOT NULL, as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    took_ms INTEGER DEFAULT 0 NOT NULL, detail JSONB DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT pk_plan_reading PRIMARY KEY (workspace_id, plan_id)
)
"""


def upgrade() -> None:
    """Make the tables and the column."""
    for statement in CHANGES.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    """Take them away again."""
    for table in ("plan_reading", "plan_spending", "turned_away"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE version DROP COLUMN season")
