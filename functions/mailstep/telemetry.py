"""The one logger and the one metrics collector, made once an environment. Logs carry ids, never personal data."""

from aws_lambda_powertools import Logger, Metrics

logger = Logger()
metrics = Metrics()
