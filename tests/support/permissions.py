"""Which action of which role is taken away by a test in tests/cloud; tests/unit compares them with the templates."""

from tests.support.events import stored_order

SECRET = ("ProcessFunction", "secretsmanager:GetSecretValue")
CLEARING = ("ReplyFunction", "dynamodb:DeleteItem")
CALLING = ("LaterAnswerWorkflowRole", "lambda:InvokeFunction")
THREADING = ("ParseFunction", "dynamodb:GetItem")
LOOKING = ("ValidateFunction", "states:DescribeExecution")
STARTING = ("StartFunction", "states:StartExecution")
INDEXING = [("IndexFunction", action) for action in ("dynamodb:GetItem", "dynamodb:PutItem", "s3:GetObject")]
SWEEPING = [
    ("SweepFunction", action)
    for action in (
        *("states:ListExecutions", "states:DescribeExecution", "s3:GetObject"),
        *(f"dynamodb:{action}" for action in ("BatchGetItem", "GetItem", "PutItem", "Query")),
    )
]
PERMISSIONS = [
    ("ParseFunction", "s3:GetObjectVersion"),
    ("ParseFunction", "s3:GetObject"),
    ("ParseFunction", "s3:PutObject"),
    ("ValidateFunction", "s3:GetObject"),
    ("ValidateFunction", "dynamodb:GetItem"),
    ("ValidateFunction", "dynamodb:UpdateItem"),
    ("ProcessFunction", "s3:GetObject"),
    ("ProcessFunction", "s3:PutObject"),
    ("ReplyFunction", "s3:GetObject"),
    ("ReplyFunction", "dynamodb:GetItem"),
    ("ReplyFunction", "dynamodb:PutItem"),
    ("ReplyFunction", "dynamodb:UpdateItem"),
    ("ReplyFunction", "ses:SendRawEmail"),
    ("FeedbackFunction", "dynamodb:GetItem"),
    ("FeedbackFunction", "dynamodb:PutItem"),
]

_ORDER, _NO_EMAIL = stored_order(), b"\x00 no email"
WORKFLOW = [
    ("lambda:InvokeFunction", "orders", _ORDER, "ParseEmail"),
    ("sqs:SendMessage", "tickets", _ORDER, "QueueEmail"),
    ("s3:GetObject", "orders", _NO_EMAIL, "QuarantineEmail"),
    ("s3:GetObjectVersion", "orders", _NO_EMAIL, "QuarantineEmail"),
    ("s3:PutObject", "orders", _NO_EMAIL, "QuarantineEmail"),
    ("s3:PutObjectTagging", "orders", _NO_EMAIL, "QuarantineEmail"),
    ("sns:Publish", "orders", b"", "AlertOperators"),
]
"""What the workflow's role may do; the route and the raw message that need it, and the state that is denied it."""

STORING = ("StoreRole", "s3:PutObject")
ACTIVATION = {
    "ses:DescribeActiveReceiptRuleSet": "Create",
    "ses:DescribeReceiptRuleSet": "Delete",
    "ses:SetActiveReceiptRuleSet": "Update",
}
"""What the activation may do, and the request of CloudFormation that needs it."""
ORDERING = ("ActivateRole", "ses:SetReceiptRulePosition")
