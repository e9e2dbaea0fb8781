"""The one logger and the one metrics collector, made once an environment. Logs carry ids, never personal data."""

import warnings

from aws_lambda_powertools import Logger, Metrics

# Not every invocation has something to count.
warnings.filterwarnings("ignore", message="No application metrics to publish")

logger = Logger()
metrics = Metrics()
