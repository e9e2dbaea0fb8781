"""What the user did or lacks, in one line that says what to do."""


class UserError(Exception):
    """Something the user can mend: the command prints it as one line and exits with 2."""
