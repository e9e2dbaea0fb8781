"""The behaviours of AWS that the design relies on: one table, from which `make reference` makes docs/aws-facts.md.

Over 300 lines, because every fact is here.
"""

from dataclasses import dataclass

_DOCS = "https://docs.aws.amazon.com"


@dataclass(frozen=True)
class Fact:
    """One behaviour of AWS.

    Attributes:
        name: Short, and unique.
        says: What AWS does, and what the design makes of it.
        source: The title of AWS's page.
        url: Its address below AWS's documentation.
        tests: The tests that show it locally; empty if only AWS can.
        experiment: What `mailstep verify-aws` tries it with (experiments.py), if it does.
        command: What a person with an account runs instead.
        local: Whether the experiment passes in the local account.
    """

    name: str
    says: str
    source: str
    url: str
    tests: tuple[str, ...] = ()
    experiment: str = ""
    command: str = ""
    local: bool = True

    @property
    def link(self) -> str:
        """The page as Markdown."""
        return f"[{self.source}]({_DOCS}{self.url})"

    @property
    def on_aws(self) -> str:
        """The one command that shows it on AWS; empty if the local tests are enough."""
        return f"mailstep verify-aws --only {self.experiment}" if self.experiment else self.command


FACTS = (
    # ---- From SES to the queue ----
    Fact(
        "SES's block",
        "SES puts its own fields on top of a message: Return-Path, Received, X-SES-Spam-Verdict, "
        "X-SES-Virus-Verdict, Received-SPF, Authentication-Results. Only these are believed",
        "Contents of notifications for Amazon SES email receiving",
        "/ses/latest/dg/receiving-email-notifications-contents.html",
        ("test_what_ses_found_is_read", "test_what_a_sender_wrote_below_ses_is_not_believed"),
        command="aws s3 cp s3://$BUCKET/inbound/orders/$SES_MESSAGE_ID - | head -40",
    ),
    Fact(
        "Set-up object",
        "SES writes AMAZON_SES_SETUP_NOTIFICATION when a rule with an S3 action is made. It is not mail",
        "Deliver to S3 bucket action",
        "/ses/latest/dg/receiving-email-action-s3.html",
        ("test_the_test_event_of_s3_and_the_setup_notification_of_ses_start_nothing",),
        command="aws s3 ls s3://$BUCKET/inbound/orders/AMAZON_SES_SETUP_NOTIFICATION",
    ),
    Fact(
        "Receipt rules",
        "SES takes one call of CreateReceiptRule a second, and CloudFormation makes the rules of all routes at "
        "once. CloudFormation repeats a throttled call of a resource type (its error Throttling is retriable). "
        "Fn::ForEach cannot chain the rules instead: an iteration cannot name the one before. If a deployment "
        "fails with `Rate exceeded`, deploy the receiving stack with one route, and add the others one by one",
        "Resource type handler error codes",
        "/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html",
        ("test_each_route_is_received_and_nothing_else",),
        experiment="receipt-rules",
    ),
    Fact(
        "A rule's role",
        "SES assumes the role of a rule with the rule's ARN as aws:SourceArn",
        "Giving permissions to Amazon SES for email receiving",
        "/ses/latest/dg/receiving-email-permissions.html",
        ("test_ses_takes_the_role_for_the_stacks_own_rules_only",),
        command="mailstep doctor --send-test orders",
    ),
    Fact(
        "PrincipalArn",
        "aws:PrincipalArn is the ARN of the role, also for a session of the role, and CloudFormation names a role "
        "<stack>-<logical id>-<random>. So the bucket's policy can deny everybody but the StoreRole",
        "AWS global condition context keys",
        "/IAM/latest/UserGuide/reference_policies_condition-keys.html",
        ("test_no_role_but_that_of_ses_may_put_mail_into_the_bucket", "test_no_role_but_that_of_ses_stores_mail"),
        experiment="principals",
    ),
    Fact(
        "Events of S3",
        "S3 sends each event at least once, with the key URL-encoded, and s3:TestEvent when the notification is set up",
        "Event message structure",
        "/AmazonS3/latest/userguide/notification-content-structure.html",
        (
            "test_a_repeated_s3_event_gives_one_execution_and_one_reply",
            "test_a_key_that_the_event_encodes_is_read_back",
        ),
        command="aws s3api put-object-tagging --bucket $BUCKET --key $KEY --tagging 'TagSet=[]'",
    ),
    Fact(
        "At least once",
        "SNS and SQS deliver at least once. A repeated event finds that the execution exists",
        "Amazon SQS at-least-once delivery",
        "/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html",
        ("test_a_repeated_record_is_success_and_starts_nothing_more",),
        experiment="repeats",
    ),
    Fact(
        "Visibility",
        "A message that was received is hidden for the visibility timeout, then comes again. It should be six "
        "times the timeout of the function that reads the queue",
        "Configuring an Amazon SQS queue to use with Lambda",
        "/lambda/latest/dg/services-sqs-configure.html",
        ("test_a_record_stays_hidden_six_times_as_long_as_its_function_may_run",),
        experiment="repeats",
    ),
    Fact(
        "Status events",
        "Step Functions tells EventBridge of each change of an execution's status: with its input and output, and with "
        "redriveCount and redriveDate. Delivery is best effort: an event may be lost, late, or come twice",
        "Automating Step Functions event delivery with EventBridge",
        "/step-functions/latest/dg/eventbridge-integration.html",
        (
            "test_events_out_of_order_and_repeated_make_the_same_entry",
            "test_a_redriven_execution_changes_the_entry_of_its_email",
            "test_lost_events_leave_gaps_that_the_sweep_closes",
        ),
        command="mailstep list --since 1h",
    ),
    Fact(
        "Partitions",
        "A partition of a DynamoDB table, or of one of its indexes, takes 1,000 write units a second",
        "Best practices for designing and using partition keys effectively in DynamoDB",
        "/amazondynamodb/latest/developerguide/bp-partition-key-design.html",
        ("test_the_mail_of_one_moment_is_spread_over_partitions",),
    ),
    Fact(
        "Partial batches",
        "Of a batch, only the messages in batchItemFailures come again",
        "Implementing partial batch responses",
        "/lambda/latest/dg/services-sqs-errorhandling.html",
        (
            "test_only_the_bad_records_of_a_batch_are_given_back",
            "test_poison_lands_in_the_dead_letter_queue_and_the_rest_of_its_batch_succeeds",
        ),
        experiment="partial-batches",
    ),
    Fact(
        "Dead letters",
        "A message goes to the dead-letter queue after maxReceiveCount, and StartMessageMoveTask moves it back; "
        "not from the dead-letter queue of a subscription",
        "Dead-letter queue redrive",
        "/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html",
        ("test_a_record_that_cannot_be_delivered_waits_in_a_dead_letter_queue",),
        experiment="dead-letters",
    ),
    Fact(
        "Concurrency",
        "A new account may have 10 concurrent Lambda environments. AWS keeps 100 unreserved, and an event source "
        "takes MaximumConcurrency from 2",
        "Configuring reserved concurrency for a function",
        "/lambda/latest/dg/configuration-concurrency.html",
        ("test_the_defaults_reserve_nothing_and_leave_a_new_account_most_of_its_environments",),
        experiment="concurrency",
    ),
    # ---- The workflow ----
    Fact(
        "Execution names",
        "A name is taken once in 90 days. Starting it again with the same input while it runs returns the same "
        "execution; otherwise it is ExecutionAlreadyExists",
        "StartExecution",
        "/step-functions/latest/apireference/API_StartExecution.html",
        ("test_a_repeated_record_is_success_and_starts_nothing_more",),
        experiment="names",
    ),
    Fact(
        "Retries",
        "The first retry waits IntervalSeconds, each further one BackoffRate times as long, at most "
        "MaxDelaySeconds. FULL jitter waits between nothing and that. Each retrier counts its own attempts",
        "Handling errors in Step Functions workflows",
        "/step-functions/latest/dg/concepts-error-handling.html",
        (
            "test_a_burst_is_answered_to_the_last_message",
            "test_after_transient_faults_the_retries_go_on_with_the_message",
        ),
        experiment="retries",
    ),
    Fact(
        "Error names",
        "A Python error is known by its class name, with errorMessage in the JSON of Cause. A function that ends "
        "or overruns is Runtime.ExitError or Sandbox.Timedout; a throttled one is Lambda.TooManyRequestsException",
        "Handling errors in Step Functions workflows",
        "/step-functions/latest/dg/concepts-error-handling.html",
        (
            "test_errors_keep_their_own_names_in_history",
            "test_a_function_killed_in_the_middle_is_retried_and_the_reply_still_comes",
            "test_a_function_that_overruns_its_timeout_is_retried_and_the_reply_still_comes",
        ),
        experiment="error-names",
    ),
    Fact(
        "JSONata",
        "Step Functions has JSONata 2 with $parse, and $encodeUrlComponent encodes as a query does. What does not "
        "exist and null are different",
        "Transforming data with JSONata in Step Functions",
        "/step-functions/latest/dg/transforming-data.html",
        ("test_any_reason_is_kept_as_a_tag_that_s3_takes", "test_a_key_that_the_event_encodes_is_read_back"),
        experiment="jsonata",
    ),
    Fact(
        "History",
        "An execution can have 25,000 events; the next one fails it for good. A task leaves three events an "
        "attempt, and each state two",
        "Step Functions service quotas",
        "/step-functions/latest/dg/service-quotas.html",
        ("test_the_longest_outage_stays_within_the_events_that_an_execution_can_have",),
    ),
    Fact(
        "Callbacks",
        "A task that waits for a token ends with States.HeartbeatTimeout after HeartbeatSeconds without a heartbeat",
        "Discover service integration patterns in Step Functions",
        "/step-functions/latest/dg/connect-to-resource.html",
        ("test_a_consumer_that_never_answers_ends_in_the_failure_notice_after_the_routes_limit",),
        experiment="heartbeats",
        local=False,
    ),
    Fact(
        "FIFO queues",
        "A deduplication id is taken once in five minutes, and a group's messages are received in order",
        "Exactly-once processing in Amazon SQS",
        "/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html",
        ("test_mail_is_processed_in_order_for_each_sender_by_two_consumers",),
        experiment="deduplication",
    ),
    Fact(
        "Redrive",
        "A redrive repeats a failed execution from its failed task, within 14 days, under the same ARN, with the "
        "definition that it began with",
        "Restarting state machine executions with redrive",
        "/step-functions/latest/dg/redrive-executions.html",
        ("test_lambdas_older_events_and_a_redrive",),
        experiment="redrive",
    ),
    Fact(
        "Aliases",
        "Starting by an alias needs the permission on the workflow's own ARN. Executions of an alias count in the "
        "metrics of the workflow too",
        "Authorization for versions and aliases",
        "/step-functions/latest/dg/auth-version-alias.html",
        ("test_a_starter_that_may_not_start_gives_its_record_back",),
        command="mailstep doctor --send-test orders",
    ),
    Fact(
        "Tags",
        "S3 takes tag values of up to 256 letters, digits, spaces and + - = . _ : / @, and refuses others",
        "Categorizing your objects using tags",
        "/AmazonS3/latest/userguide/object-tagging.html",
        ("test_any_reason_is_kept_as_a_tag_that_s3_takes",),
        experiment="tags",
    ),
    Fact(
        "Role propagation",
        "A new or changed role takes effect within seconds, not at once. CloudFormation waits before it uses a "
        "role; a first message in these seconds is retried",
        "Troubleshoot IAM: changes that I make are not always immediately visible",
        "/IAM/latest/UserGuide/troubleshoot.html",
        ("test_a_starter_that_may_not_start_gives_its_record_back",),
        experiment="principals",
    ),
    # ---- Replies and feedback ----
    Fact(
        "Sending",
        "SES accepts a message of 40 MB, and reads the sender from the raw From field if there is no "
        "FromEmailAddress. It has no idempotency key",
        "SendEmail",
        "/ses/latest/APIReference-V2/API_SendEmail.html",
        ("test_from_email_address_is_the_from_field_also_of_a_raw_message",),
        command="mailstep doctor --send-test orders",
    ),
    Fact(
        "Event destinations",
        "SES checks a topic with a plain-text notice as soon as an event destination names it, then publishes "
        "bounces and complaints there",
        "Set up an Amazon SNS event destination for event publishing",
        "/ses/latest/dg/event-publishing-add-event-destination-sns.html",
        (
            "test_ses_says_that_it_has_checked_the_topic",
            "test_a_bounce_or_complaint_suppresses_the_address_and_alerts_the_operators",
        ),
        command=(
            "aws sesv2 send-email --from-email-address orders@$DOMAIN --configuration-set-name mailstep-replies "
            "--destination ToAddresses=bounce@simulator.amazonses.com --content "
            "'Simple={Subject={Data=x},Body={Text={Data=x}}}'"
        ),
    ),
    Fact(
        "Feedback's address",
        "mail.destination is the address that SES sent to. The recipients that a bounce or complaint names come "
        "from the other system's report",
        "Contents of event data that Amazon SES publishes to Amazon SNS",
        "/ses/latest/dg/event-publishing-retrieving-sns-contents.html",
        ("test_the_address_that_the_reply_went_to_is_suppressed_whatever_the_other_system_says",),
        command=(
            "aws sqs receive-message --queue-url $A_QUEUE_SUBSCRIBED_TO_FEEDBACK --query 'Messages[].Body' "
            "--output text"
        ),
    ),
    Fact(
        "Failed events",
        "SNS and Lambda repeat an asynchronous call of FeedbackFunction that fails, then send the event to its "
        "dead-letter queue",
        "Capturing records of Lambda asynchronous invocations",
        "/lambda/latest/dg/invocation-async-retain-records.html",
        ("test_events_that_feedback_failed_on_or_never_got_share_a_dead_letter_queue",),
        command=(
            "aws lambda invoke --function-name mailstep-feedback --invocation-type Event --cli-binary-format "
            "raw-in-base64-out --payload '{}' /dev/null"
        ),
    ),
    # ---- Watching ----
    Fact(
        "Alerts",
        "EventBridge sends aws:SourceArn, the ARN of the rule, and aws:SourceAccount when it publishes to a topic. "
        "AWS's pages do not agree whether a role may do it instead, so the topic's policy names the rule",
        "Using IAM policy conditions in Amazon EventBridge",
        "/eventbridge/latest/userguide/eb-use-conditions.html",
        ("test_a_service_may_use_a_resource_for_this_accounts_own_senders_only",),
        experiment="alerts",
    ),
    Fact(
        "Metrics",
        "CloudWatch does not aggregate over dimensions: an alarm sees only the set of dimensions that was emitted. "
        "Each combination of values costs as a metric",
        "Dimensions",
        "/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html",
        ("test_what_is_watched_is_emitted", "test_what_is_emitted_is_watched"),
        command="aws cloudwatch list-metrics --namespace Mailstep",
    ),
    Fact(
        "Fields of log lines",
        "CloudWatch Logs Insights finds the fields of a line in JSON, and an element of an array as name.0",
        "Supported logs and discovered fields",
        "/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html",
        ("test_a_chart_by_property_asks_for_fields_of_one_log_line",),
        command=(
            "aws logs start-query --log-group-name /mailstep/mailstep --start-time $(date -d -1hour +%s) "
            "--end-time $(date +%s) --query-string 'stats sum(EmailsAccepted.0) by route'"
        ),
    ),
    Fact(
        "The ledger",
        "DynamoDB encrypts a table with a key of its own, free, if nothing else is said, and deletes expired items "
        "within days",
        "DynamoDB encryption at rest",
        "/amazondynamodb/latest/developerguide/EncryptionAtRest.html",
        (
            "test_what_a_month_costs_without_mail_is_what_the_template_makes",
            "test_a_suppressed_address_is_known_until_it_expires",
        ),
        command="aws dynamodb describe-table --table-name mailstep-ledger --query Table.SSEDescription",
    ),
)
