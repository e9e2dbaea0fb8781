"""Performs the S3 action of a receipt rule as SES does: with the role of the rule, for that rule only."""

import time
from functools import cache
from typing import Any

from mailstep_local.account import ACCOUNT_ID, Account

_ROLE_SECONDS = 900


def store(account: Account, rule_set: str, rule: str, action: dict[str, Any], name: str, body: bytes) -> None:
    """Put `body` under the action's prefix and `name`. `action` is an S3Action of the SES API.

    Raises:
        botocore.exceptions.ClientError: SES may not assume the role for this rule, or the role may not write there.
    """
    source = f"arn:aws:ses:{account.region}:{ACCOUNT_ID}:receipt-rule-set/{rule_set}:receipt-rule/{rule}"
    role = action.get("IamRoleArn")
    s3 = _s3_as(account, role, source, int(time.time()) // _ROLE_SECONDS) if role else account.client("s3")
    s3.put_object(Bucket=action["BucketName"], Key=f"{action.get('ObjectKeyPrefix', '')}{name}", Body=body)


@cache
def _s3_as(account: Account, role: str, source: str, _quarter_of_an_hour: int) -> Any:
    # ExternalId carries aws:SourceArn to the trust policy (patches/iam.py): the API has no field for it.
    session = account.client("sts").assume_role(RoleArn=role, RoleSessionName="ses", ExternalId=source)
    return account.client_as("s3", session["Credentials"])
