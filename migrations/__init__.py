"""The Alembic history; read by Alembic, never imported by the program."""
