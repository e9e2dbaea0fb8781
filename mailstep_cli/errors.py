"""What the user did or lacks, one line for each thing, which says what to do."""


class UserError(Exception):
    """Something the user can put right: the command prints each argument as one line, and exits with 2."""

    def __str__(self) -> str:
        return "; ".join(map(str, self.args))
