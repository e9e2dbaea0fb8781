"""Where the command starts: it refuses an old Python before it imports what that could not read."""

import signal
import sys


def main() -> None:
    """Run the command; exit 0 as it should be, 1 where a message did not end so, 2 where the user must act.

    An interrupt exits with 130, SIGTERM with 143, a closed terminal with 129, each after everything started has ended.
    """
    if sys.version_info < (3, 13):  # noqa: UP036 - an environment made by hand may hold any version
        sys.exit(_fail("mailstep needs Python 3.13: make its environment with `make .venv/ready`"))

    import typer  # noqa: PLC0415 - after the check, for the sake of an old Python
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from typer._click.exceptions import ClickException  # noqa: PLC0415

    from mailstep.errors import ConfigurationError  # noqa: PLC0415
    from mailstep_cli.asking import refused, unasked, way_to_aws  # noqa: PLC0415
    from mailstep_cli.cli import app  # noqa: PLC0415
    from mailstep_local.errors import UserError  # noqa: PLC0415

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    try:
        code = app(standalone_mode=False)
    except typer.Exit as error:
        sys.exit(error.exit_code)
    except ClickException as error:
        sys.exit(_fail(error.format_message()) if error.format_message() else 2)
    except (UserError, ConfigurationError) as error:
        sys.exit(_fail(str(error)))
    except ClientError as error:
        sys.exit(_fail(refused(error)))
    except BotoCoreError as error:
        sys.exit(_fail(f"{unasked(error)} ({way_to_aws()})"))
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    sys.exit(code)


def _fail(line: str) -> int:
    print(f"mailstep: {' '.join(line.split())}", file=sys.stderr)  # noqa: T201
    return 2
