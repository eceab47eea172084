"""Who made a key or a sign-in link for somebody else: they count beside that person when four eyes are counted."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns."""
    op.execute("ALTER TABLE key ADD COLUMN maker TEXT")
    op.execute("ALTER TABLE review ADD COLUMN maker TEXT")


def downgrade() -> None:
    """Take them away again: whoever holds a link is the person it was made for."""
    op.execute("ALTER TABLE review DROP COLUMN maker")
    op.execute("ALTER TABLE key DROP COLUMN maker")
