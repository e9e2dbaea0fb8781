"""Starts an execution for each object that an S3 event names, and says what became of it."""

from mailstep import metrics, settings
from mailstep.aws import executions
from mailstep.contracts import LaterAnswer, StoredEmail
from mailstep.start import identity, notifications
from mailstep.telemetry import logger


def start_executions(notification: object) -> None:
    """Start one execution for each email and each later answer in an S3 event, which names the same one when repeated.

    Raises:
        ValueError: it is not an S3 event.
        TransientError: Step Functions is unavailable.
    """
    here = settings.StartFunction.read()
    for found in notifications.objects(notification, here.mail_bucket):
        if isinstance(found, str):
            logger.warning("Ignored an object that is no mail to a route of this stack", extra={"key": found})
            metrics.STRAY_OBJECTS.emit()
        elif isinstance(found, LaterAnswer):
            _start_later_answer(found, here.later_answers_arn)
        else:
            _start_email(found, here.workflow_arn)


def _start_email(email: StoredEmail, workflow_arn: str) -> None:
    outcome = executions.start(email.email_id, email, workflow_arn)
    metrics.EMAILS_RECEIVED.emit(1 if outcome == executions.STARTED else 0)
    logger.info("Execution %s", outcome, extra={"email_id": email.email_id, "route": email.route})


def _start_later_answer(answer: LaterAnswer, workflow_arn: str) -> None:
    name = identity.execution_name(answer)
    outcome = executions.start(name, answer, workflow_arn)
    logger.info("Execution of a later answer %s", outcome, extra={"email_id": answer.email_id, "execution": name})
