"""A number that counts up when somebody's rights lessen, so that open streams notice within a second. Never says whose."""

from app.store.rows import Connection

ROW = 2  # of the table `generation`; 1 is that of the plans


def bump(connection: Connection) -> None:
    """Somebody may do less now."""
    connection.execute(
        "INSERT INTO generation (id, number) VALUES (%s, 1) ON CONFLICT (id) DO UPDATE SET number = generation.number + 1",
        (ROW,),
    )


def number(connection: Connection) -> int:
    """How often that was so."""
    row = connection.execute("SELECT number FROM generation WHERE id = %s", (ROW,)).fetchone()
    return int(row[0]) if row else 0
