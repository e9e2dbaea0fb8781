"""The logger of all functions. Logs have ids, never personal data. Metrics are in metrics.py."""

from aws_lambda_powertools import Logger

logger = Logger()
