"""People: the audit log with its chain, passwords, sessions with a device, scopes of journeys and plans."""

from alembic import op

revision = "0021"
down_revision = "0005"
branch_labels = None
depends_on = None

AUDIT = """
CREATE TABLE audit (
    workspace_id INTEGER NOT NULL, number BIGINT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
    previous TEXT NOT NULL, hash TEXT NOT NULL, CONSTRAINT pk_audit PRIMARY KEY (workspace_id, number)
);
CREATE INDEX ix_audit_workspace_id_about_number ON audit (workspace_id, about, number);
CREATE INDEX ix_audit_workspace_id_actor_number ON audit (workspace_id, actor, number);
CREATE TABLE audit_head (
    workspace_id INTEGER NOT NULL, number BIGINT NOT NULL, hash TEXT NOT NULL,
    CONSTRAINT pk_audit_head PRIMARY KEY (workspace_id)
);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log is only ever added to' USING ERRCODE = '42501'; END $$;
CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in AUDIT.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    """Take them away again."""
    op.execute("DROP TABLE audit, audit_head")
    op.execute("DROP FUNCTION refuse_change()")
