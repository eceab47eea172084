"""People: the audit log with its chain, passwords, sessions with a device, scopes of journeys and plans."""

from alembic import op

revision = "0006"
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

# A transaction that is limited to scopes says so in `journey.scopes`: chr(30), then each label behind a chr(31). Nothing there
# means no limit: workers, commands and most people. Whoever is limited sees nothing without a label of theirs.
PEOPLE = """
ALTER TABLE users ADD COLUMN password TEXT, ADD COLUMN disabled_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN joined_at TIMESTAMP WITH TIME ZONE, ADD COLUMN language TEXT, ADD COLUMN scopes TEXT[];
CREATE INDEX ix_users_email ON users (lower(email));
ALTER TABLE key ADD COLUMN scopes TEXT[], ADD COLUMN seen_at TIMESTAMP WITH TIME ZONE, ADD COLUMN idle_seconds INTEGER,
    ADD COLUMN agent TEXT NOT NULL DEFAULT '', ADD COLUMN place TEXT NOT NULL DEFAULT '';
CREATE INDEX ix_key_user_id ON key (user_id) WHERE revoked_at IS NULL;
CREATE TABLE sign_in_try (
    bucket TEXT NOT NULL, tries INTEGER NOT NULL, since TIMESTAMP WITH TIME ZONE NOT NULL,
    last TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_sign_in_try PRIMARY KEY (bucket)
);
ALTER TABLE journey ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE plan ADD COLUMN scope TEXT NOT NULL DEFAULT '';
CREATE FUNCTION in_scope(label TEXT) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT coalesce(current_setting('journey.scopes', true), '') = ''
           OR label = ANY (string_to_array(current_setting('journey.scopes', true), chr(31))) $$;
UPDATE users SET joined_at = created_at
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in (AUDIT + ";\n" + PEOPLE).split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    """Take them away again; people sign in by links as before."""
    op.execute("DROP FUNCTION in_scope(TEXT)")
    op.execute("DROP INDEX ix_users_email, ix_key_user_id")
    op.execute("DROP TABLE sign_in_try")
    op.execute("ALTER TABLE journey DROP COLUMN scope")
    op.execute("ALTER TABLE plan DROP COLUMN scope")
    columns = ("scopes", "seen_at", "idle_seconds", "agent", "place")
    op.execute(f"ALTER TABLE key {', '.join(f'DROP COLUMN {name}' for name in columns)}")
    columns = ("password", "disabled_at", "joined_at", "language", "scopes")
    op.execute(f"ALTER TABLE users {', '.join(f'DROP COLUMN {name}' for name in columns)}")
    op.execute("DROP TABLE audit, audit_head")
    op.execute("DROP FUNCTION refuse_change()")
