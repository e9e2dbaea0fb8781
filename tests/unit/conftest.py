"""The account that the handlers run against where no stack is deployed."""

from collections.abc import Iterator

import boto3
import pytest

from mailstep import routes
from mailstep.aws import clients, ses
from mailstep.reply import send_once
from tests.support.events import BUCKET, REGION
from tests.support.index import create_index_table
from tests.support.moto_account import moto_account
from tests.support.project import EVENTS


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS account of moto's with what the stack has there, and the environment of the functions."""
    variables = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # pragma: allowlist secret
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "APPLICATION_TIMEOUT_SECONDS": "5",
        "TABLE_NAME": "ledger",
        "INDEX_TABLE_NAME": "mailstep-index",
        "PARSED_RETENTION_DAYS": "30",
        "DOMAIN": "mailstep.example",
        "REPLY_FROM": "",
        "CONFIGURATION_SET": "mailstep-replies",
        "APPLICATION_URL": "",
        "APPLICATION_AUTH": "none",
        "APPLICATION_LIMIT_HOURS": "24",
        "APPLICATION_SECRET_ARN": "",
        "APPLICATION_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/mailstep-application.fifo",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    caches = (clients.client, routes.routes, routes.deployed_names, send_once._ledger, ses.client)
    for cache in caches:
        cache.cache_clear()
    with moto_account():
        s3 = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="inbound/orders/sample-order", Body=(EVENTS / "stored-order.eml").read_bytes())
        boto3.client("dynamodb", region_name=REGION).create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        create_index_table()
        sesv2 = boto3.client("sesv2", region_name=REGION)
        sesv2.create_email_identity(EmailIdentity="mailstep.example")
        sesv2.create_configuration_set(ConfigurationSetName="mailstep-replies")
        yield
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def ledger_table(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The ledger's table, empty, on moto."""
    with moto_account():
        monkeypatch.setenv("TABLE_NAME", "ledger")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        clients.client.cache_clear()
        boto3.client("dynamodb").create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        yield
    clients.client.cache_clear()
