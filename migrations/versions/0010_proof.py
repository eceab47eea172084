"""What is only ever added to cannot be emptied either; the end of the audit log never goes back; whose a caught message is."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

GUARDED = {"audit": "refuse_change", "audit_head": "refuse_change", "consent": "consent_only_grows"}


def upgrade() -> None:
    """Make the triggers."""
    for table, function in GUARDED.items():
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
    op.execute(
        "CREATE TRIGGER only_forward BEFORE UPDATE ON audit_head FOR EACH ROW WHEN (NEW.number < OLD.number)"
        " EXECUTE FUNCTION refuse_change()"
    )
    op.execute("CREATE TRIGGER never_gone BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    op.execute("UPDATE caught SET workspace_id = (SELECT min(id) FROM workspace) WHERE workspace_id IS NULL")


def downgrade() -> None:
    """Take them away again."""
    for table in GUARDED:
        op.execute(f"DROP TRIGGER never_emptied ON {table}")
    op.execute("DROP TRIGGER only_forward ON audit_head")
    op.execute("DROP TRIGGER never_gone ON audit_head")
