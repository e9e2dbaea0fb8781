"""The error that the command shows to its user."""


class UserError(Exception):
    """Something the user can fix. The command prints each argument on its own line, and exits with 2."""

    def __str__(self) -> str:
        return "; ".join(map(str, self.args))
