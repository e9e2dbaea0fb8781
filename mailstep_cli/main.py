"""Starts the command. It refuses an old Python before importing code that an old Python could not read."""

import signal
import sys


def main() -> None:
    """Run the command. Exit with 0 for success, 1 if a message or a check failed, and 2 if the user must act.

    An interrupt exits with 130, SIGTERM with 143 and a closed terminal with 129, once everything started has ended.
    """
    if sys.version_info < (3, 13):  # noqa: UP036 - an environment made by hand may hold any version
        print("mailstep: mailstep needs Python 3.13: run `make .venv/ready` to install it", file=sys.stderr)  # noqa: T201
        sys.exit(2)

    import typer  # noqa: PLC0415 - only after the check of the version
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from typer._click.exceptions import ClickException  # noqa: PLC0415

    from mailstep.errors import ConfigurationError, TransientError  # noqa: PLC0415
    from mailstep_cli.aws_errors import refused, unasked, way_to_aws  # noqa: PLC0415
    from mailstep_cli.cli import command  # noqa: PLC0415
    from mailstep_cli.errors import UserError  # noqa: PLC0415
    from mailstep_cli.terminal import complain, open_terminal  # noqa: PLC0415
    from mailstep_cli.usage_errors import told  # noqa: PLC0415

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    open_terminal()
    lines: tuple[object, ...]
    try:
        sys.exit(command()(standalone_mode=False))
    except typer.Exit as error:
        sys.exit(error.exit_code)
    except ClickException as error:
        # If the text is empty, it has already printed the help.
        lines = (told(error),) if error.format_message() else ()
    except (UserError, ConfigurationError) as error:
        lines = error.args
    except TransientError as error:
        lines = (f"AWS is unavailable or throttles the request ({error}): try again",)
    except ClientError as error:
        lines = (refused(error),)
    except OSError as error:
        if error.filename is None:
            raise
        lines = (f"{error.filename}: {error.strerror}",)
    except BotoCoreError as error:
        lines = (f"{unasked(error)} ({way_to_aws()})",)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    for line in lines:
        complain(str(line))
    sys.exit(2)
