"""A stack of receiving.yaml, besides the one that the cloud has, or that one itself."""

from mailstep_local.account import Account
from mailstep_local.cloud import LocalCloud
from mailstep_local.deployment import RECEIVING_STACK
from tests.support.cloud import eventually


class Stack:
    """Another stack of the receiving.yaml that is deployed, in a Region."""

    def __init__(self, cloud: LocalCloud, name: str, region: str) -> None:
        self.name = name
        account = cloud.account.seen_from(region)
        self._client = account.client("cloudformation")
        self._template = (
            cloud.account.client("cloudformation")
            .get_template(StackName=RECEIVING_STACK, TemplateStage="Original")["TemplateBody"]
        )  # fmt: skip
        if region != cloud.account.region:
            self._bring_the_code(cloud.account, account, region)

    def change(self, operation: str, **parameters: str) -> str:
        """`create` or `update` it; answer the status that it ends in."""
        getattr(self._client, f"{operation}_stack")(
            StackName=self.name,
            TemplateBody=self._template,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        return self._ended()

    def _bring_the_code(self, home: Account, there: Account, region: str) -> None:
        """Lambda takes code from a bucket of its own Region only."""
        bucket, key = self._template.partition("CodeUri: s3://")[2].split(maxsplit=1)[0].split("/")
        code = home.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        copy = f"code-{region}"
        there.client("s3").create_bucket(Bucket=copy, CreateBucketConfiguration={"LocationConstraint": region})
        there.client("s3").put_object(Bucket=copy, Key=key, Body=code)
        self._template = self._template.replace(f"s3://{bucket}/", f"s3://{copy}/")

    def delete(self) -> str:
        self._client.delete_stack(StackName=self.name)
        return self._ended()

    def failures(self) -> str:
        events = self._client.describe_stack_events(StackName=self.name)["StackEvents"]
        return " ".join(e.get("ResourceStatusReason", "") for e in events if e["ResourceStatus"].endswith("_FAILED"))

    def _ended(self) -> str:
        return eventually(self._status_at_rest)

    def _status_at_rest(self) -> str:
        try:
            [stack] = self._client.describe_stacks(StackName=self.name)["Stacks"]
        except self._client.exceptions.ClientError:
            return "DELETE_COMPLETE"
        status: str = stack["StackStatus"]
        return "" if status.endswith("IN_PROGRESS") else status
