"""The book of marketing messages that passed the gate, and the index of those that ask it again."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CHANGES = """
CREATE TABLE sending (
    workspace_id INTEGER NOT NULL, lane SMALLINT NOT NULL, contact_id BIGINT NOT NULL, message_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL, journey_id INTEGER NOT NULL, priority SMALLINT NOT NULL,
    channel TEXT NOT NULL, CONSTRAINT pk_sending PRIMARY KEY (workspace_id, lane, contact_id, message_id)
);
CREATE INDEX ix_sending_at ON sending USING brin (at) WITH (pages_per_range = 32);
CREATE INDEX ix_message_deferred ON message (lane, due_at) WHERE status = 7
"""


def upgrade() -> None:
    """Make the table and the index."""
    for statement in CHANGES.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    """Take them away again; messages that were put off go out at once then."""
    op.execute("UPDATE message SET status = 0 WHERE status = 7")
    op.execute("DROP INDEX ix_message_deferred")
    op.execute("DROP TABLE sending")
