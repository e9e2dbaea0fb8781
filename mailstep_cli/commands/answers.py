"""Commands that answer emails: `reply`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from mailstep_cli import later_answers
from mailstep_cli.commands.shared import Stack, out
from mailstep_cli.home_stack import find

app = typer.Typer()


@app.command(epilog='Example: mailstep reply ul45j44f shipped.json, with {"text": "It is on its way."} in the file')
def reply(
    email_id: Annotated[str, typer.Argument(help="The email's id, its first characters, or its reference.")],
    file: Annotated[Path, typer.Argument(help="The answer, as JSON (docs/schemas/answer.json).")],
    name: Annotated[
        str | None, typer.Option(help="The answer's own name: each is sent once. Default: that of the file.")
    ] = None,
    stack: Stack = "",
) -> None:
    """Answer an email once more, in its thread, if Mailstep may write to its sender."""
    written = later_answers.write(find(stack), email_id, file, name)
    out.print(f"Written to s3://{escape(written.bucket)}/{escape(written.key)}", soft_wrap=True)
    out.print(f"Follow it with: mailstep history {escape(written.execution_arn)}", soft_wrap=True)
