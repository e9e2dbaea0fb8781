"""The logger of all functions. Logs have ids, never personal data. Metrics are in metrics.py."""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.logging.types import LogRecord

from mailstep import reference


class _Formatter(LambdaPowertoolsFormatter):
    """Adds the reference of the email, which its sender can name, to each line about it."""

    def serialize(self, log: LogRecord) -> str:
        """One line of JSON."""
        if email_id := log.get("correlation_id") or log.get("email_id"):
            log = {**log, "reference": reference.short(str(email_id))}
        return super().serialize(log)


logger = Logger(logger_formatter=_Formatter())
