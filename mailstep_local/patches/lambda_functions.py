"""How functions run: under AWS's own runtime client, with their own environment, and fed by SQS as Lambda does it."""

import os
import threading
import time
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime

from mailstep_local.ministack_names import Names

# Under the inbound queue's visibility timeout.
_POLLER_PATIENCE_SECONDS = 60
_POLLER_PAUSE_SECONDS = 0.2

_RUNTIME = "python3.13"
# What Lambda itself sets in a function's environment, beside the function's own variables.
_LAMBDA_VARIABLES = {
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    lambda_runtime.HOST_PREFIX_ENV,
}

MINISTACK = Names(
    {
        "core.lambda_runtime:HOST_PREFIX_ENV": None,
        "core.lambda_runtime:ProvidedInitTimeout": None,
        "core.lambda_runtime:ProvidedRuntimeError": None,
        "core.lambda_runtime:ProvidedWorker._await_init": "self, init_timeout",
        "core.lambda_runtime:_lock": None,
        "core.lambda_runtime:_worker_class_for": "config",
        "core.lambda_runtime:_workers": None,
        "core.lambda_runtime:kill_workers": "workers",
        "services.lambda_svc:_execute_function": "func, event",
        "services.lambda_svc:_execute_function_provided_warm": "func, event, request_id",
        "services.lambda_svc:_execute_function_warm": "func, event, request_id",
        "services.lambda_svc:_provided_runtime_code_dir": "code_zip",
        "services.lambda_svc:_provided_worker_env": "config, code_dir, port",
        "services.lambda_svc:_run_sqs_batch": "esm, func_rec, event, batch, queue_url, queue_name",
        "services.lambda_svc:_sqs_esm_concurrency": "esm, func_rec, config, queue",
        "services.lambda_svc:acquire_worker": "func_name, config, code_zip, qualifier, max_concurrency",
        "services.lambda_svc:invalidate_worker": "func_name, qualifier, account, region",
    }
)


def apply(bootstrap: Path) -> None:
    """Patch Lambda. `bootstrap`: the program that runs a function's handler (mailstep_local/lambda_runtime.py)."""
    _run_functions_under_awslambdaric(bootstrap)
    _hide_the_host_from_functions()
    _read_concurrency_as_a_number()
    _poll_again_while_throttled()
    _end_only_the_environment_that_failed()


def _run_functions_under_awslambdaric(bootstrap: Path) -> None:
    """MiniStack's own worker for Python turns every exception into `Runtime.HandlerError`.

    Its executor for `provided.*` speaks the real Lambda Runtime API, so AWS's own runtime client runs there: errors
    keep their names and traces, a killed function is `Runtime.ExitError`, an overrun `Sandbox.Timedout`.
    """
    code_directory = MINISTACK.original("services.lambda_svc:_provided_runtime_code_dir")
    worker_class = MINISTACK.original("core.lambda_runtime:_worker_class_for")

    def code_directory_with_bootstrap(code_zip: bytes) -> str:
        directory: str = code_directory(code_zip)
        link = Path(directory, "bootstrap")
        if not link.exists():
            # Made aside and moved into place, because environments start at the same time.
            aside = link.with_name(f"bootstrap.{os.urandom(4).hex()}")
            aside.symlink_to(bootstrap)
            aside.replace(link)
        return directory

    def worker_class_for(config: dict[str, Any]) -> type:
        chosen: type = worker_class({"Runtime": "provided"} if config.get("Runtime") == _RUNTIME else config)
        return chosen

    MINISTACK.replace("services.lambda_svc:_provided_runtime_code_dir", code_directory_with_bootstrap)
    MINISTACK.replace("core.lambda_runtime:_worker_class_for", worker_class_for)
    MINISTACK.replace(
        "services.lambda_svc:_execute_function_warm",
        MINISTACK.original("services.lambda_svc:_execute_function_provided_warm"),
    )


def _hide_the_host_from_functions() -> None:
    """MiniStack gives a function the whole environment of its host; AWS gives it only its own.

    With the host's, a missing variable in template.yaml would show first on AWS.
    """
    worker_environment = MINISTACK.original("services.lambda_svc:_provided_worker_env")

    def own_environment(config: dict[str, Any], code_dir: str, port: int) -> dict[str, str]:
        declared = set(config.get("Environment", {}).get("Variables", {}))
        full: dict[str, str] = worker_environment(config, code_dir, port)
        own = {name: value for name, value in full.items() if name in declared | _LAMBDA_VARIABLES}
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC", **own}

    MINISTACK.replace("services.lambda_svc:_provided_worker_env", own_environment)


def _read_concurrency_as_a_number() -> None:
    """A parameter of type Number reaches MiniStack's event source mapping as text, on which its poller fails.

    CloudFormation coerces it to the property's type.
    """
    concurrency = MINISTACK.original("services.lambda_svc:_sqs_esm_concurrency")

    def concurrency_of(
        esm: dict[str, Any], func_rec: dict[str, Any], config: dict[str, Any], queue: dict[str, Any] | None = None
    ) -> int:
        scaling = {name: int(value) for name, value in (esm.get("ScalingConfig") or {}).items()}
        chosen: int = concurrency({**esm, "ScalingConfig": scaling}, func_rec, config, queue)
        return chosen

    MINISTACK.replace("services.lambda_svc:_sqs_esm_concurrency", concurrency_of)


def _poll_again_while_throttled() -> None:
    """A throttled batch waits out its visibility timeout in MiniStack; Lambda's poller backs off and tries again.

    (AWS Lambda Developer Guide, "Using Lambda with Amazon SQS": throttled batches are retried until the timeout.)
    """
    run = MINISTACK.original("services.lambda_svc:_run_sqs_batch")
    execute = MINISTACK.original("services.lambda_svc:_execute_function")
    poller = threading.local()

    def run_batch(*args: Any) -> None:
        poller.until = time.monotonic() + _POLLER_PATIENCE_SECONDS
        try:
            run(*args)
        finally:
            poller.until = 0

    def execute_again(func: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = execute(func, event)
        while result.get("throttle") and time.monotonic() < getattr(poller, "until", 0):
            time.sleep(_POLLER_PAUSE_SECONDS)
            result = execute(func, event)
        return result

    MINISTACK.replace("services.lambda_svc:_run_sqs_batch", run_batch)
    MINISTACK.replace("services.lambda_svc:_execute_function", execute_again)


def _end_only_the_environment_that_failed() -> None:
    """An environment that ends while it starts is `Runtime.ExitError`, and the function's others go on.

    MiniStack calls it `Runtime.Unknown` and ends every environment of the function, with the invocations in them.
    """
    await_init = MINISTACK.original("core.lambda_runtime:ProvidedWorker._await_init")
    acquire = MINISTACK.original("services.lambda_svc:acquire_worker")
    invalidate = MINISTACK.original("services.lambda_svc:invalidate_worker")
    execute = MINISTACK.original("services.lambda_svc:_execute_function_warm")
    invocation = threading.local()

    def await_init_by_name(self: Any, init_timeout: float | None = None) -> None:
        try:
            await_init(self, init_timeout)
        except lambda_runtime.ProvidedInitTimeout:
            raise
        except RuntimeError as error:
            raise lambda_runtime.ProvidedRuntimeError(str(error), "Runtime.ExitError") from error

    def acquire_and_remember(*arguments: Any, **named: Any) -> tuple[Any, str]:
        invocation.worker, reason = acquire(*arguments, **named)
        return invocation.worker, reason

    def execute_alone(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        try:
            result: dict[str, Any] = execute(func, event, request_id)
        finally:
            invocation.worker = None
        return result

    def invalidate_failed(func_name: str, **scope: Any) -> None:
        failed = getattr(invocation, "worker", None)
        if failed is None:
            # The function was changed or deleted: all its environments end.
            invalidate(func_name, **scope)
            return
        with lambda_runtime._lock:
            for environments in lambda_runtime._workers.values():
                if failed in environments:
                    environments.remove(failed)
        lambda_runtime.kill_workers([failed])

    MINISTACK.replace("core.lambda_runtime:ProvidedWorker._await_init", await_init_by_name)
    MINISTACK.replace("services.lambda_svc:acquire_worker", acquire_and_remember)
    MINISTACK.replace("services.lambda_svc:invalidate_worker", invalidate_failed)
    MINISTACK.replace("services.lambda_svc:_execute_function_warm", execute_alone)
