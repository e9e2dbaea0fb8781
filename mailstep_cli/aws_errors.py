"""The messages for a user whose request AWS refused or did not receive."""

import os

from botocore.exceptions import BotoCoreError, ClientError


def refused(error: ClientError) -> str:
    """The message for a request that AWS refused."""
    return f"AWS answered: {error.response['Error'].get('Message') or error}"


def unasked(error: BotoCoreError) -> str:
    """The message for a request that did not reach AWS."""
    return f"cannot reach AWS: {error}"


def way_to_aws() -> str:
    """What the user can do to reach AWS."""
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        return f"is `mailstep up` still running at {endpoint}? Start it again, or unset AWS_ENDPOINT_URL"
    return "set AWS credentials and a Region, or the variables that `mailstep up` prints"
