"""What a stage's batch came to: a number, with two more for the log line. Never a decision."""


class Taken(int):
    """How many rows a batch took; `moved` of them went somewhere, in `workspaces` workspaces."""

    moved: int
    workspaces: int

    def __new__(cls, taken: int, *, moved: int = 0, workspaces: int = 0) -> "Taken":
        """A plain int to whoever only counts."""
        self = super().__new__(cls, taken)
        self.moved, self.workspaces = moved, workspaces
        return self
