"""The one logger, made once an environment. Logs carry ids, never personal data. What is counted is in metrics.py."""

from aws_lambda_powertools import Logger

logger = Logger()
