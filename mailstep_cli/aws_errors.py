"""What a person is told where AWS cannot be asked, or says no."""

import os

from botocore.exceptions import BotoCoreError, ClientError


def refused(error: ClientError) -> str:
    """What AWS said."""
    return f"AWS answered: {error.response['Error'].get('Message') or error}"


def unasked(error: BotoCoreError) -> str:
    """That AWS could not be asked."""
    return f"AWS cannot be asked: {error}"


def way_to_aws() -> str:
    """What to do about it."""
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        return f"is `mailstep up` still running at {endpoint}? Start it again, or unset AWS_ENDPOINT_URL"
    return "set credentials and Region, or the variables that `mailstep up` prints"
