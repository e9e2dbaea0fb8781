"""The routes of the page: what each request reads and does, under the operator's own AWS credentials.

Over 300 lines, because every request of the page is here, and nothing else.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode

import boto3
from anyio import to_thread
from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from mailstep.aws import mail_bucket
from mailstep.errors import ConfigurationError, TransientError
from mailstep.outcomes import RUNNING
from mailstep_cli import failures, history, mail_objects, messages, replay, showing
from mailstep_cli.aws_errors import refused, unasked
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack
from mailstep_cli.messages import OUTCOMES, Filter
from mailstep_cli.quarantine import Quarantine
from mailstep_cli.times import moment_given
from mailstep_cli.web import frames, pages
from mailstep_cli.web.files import definition
from mailstep_cli.web.guard import Guard, Secrets
from mailstep_cli.web.mail_html import POLICY as MAIL_POLICY
from mailstep_cli.web.sending import LocalMail

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

    from mailstep.index_entry import Execution, IndexEntry

_SHOWN = 50
"""Emails on a page of the list."""
_ASKED = 25
"""Entries that one query reads: of each shard, twice its part of a page."""
_ON_ITS_WAY = timedelta(minutes=2)
"""How long after an execution's end its event is waited for; a lost one is filled in by the sweep."""
_FORM_OCTETS = 50_000
_MAIL_OCTETS = 40_000_000
"""The largest message that SES takes (Amazon SES Developer Guide, "Service quotas")."""


@dataclass
class Web:
    """The page of one stack. `local` is set where mail can be composed: on a local account."""

    home: HomeStack
    own: Secrets
    local: LocalMail | None = None

    def app(self, port: int) -> Callable[..., Any]:
        """The ASGI application, which answers requests to this port of loopback."""
        paths: dict[str, Callable[[Request], Response]] = {
            "/": self.emails,
            "/favicon.ico": lambda _: Response(status_code=204),
            "/page.css": lambda _: Response(pages.asset("page.css"), media_type="text/css"),
            "/page.js": lambda _: Response(pages.asset("page.js"), media_type="text/javascript"),
            "/messages/{email_id}": self.email,
            "/messages/{email_id}/html": self.message_html,
            "/messages/{email_id}/answer-html": self.answer_html,
            "/messages/{email_id}/raw": self.raw,
            "/messages/{email_id}/attachments/{number:int}": self.attachment,
            "/messages/{email_id}/answer/{number:int}": self.answer_attachment,
        }
        acts: dict[str, Callable[[Request, bytes], Response]] = {
            "/messages/{email_id}/replay": self.replay,
            "/messages/{email_id}/redrive": self.redrive,
            "/messages/{email_id}/release": self.release,
        }
        if self.local:
            paths["/compose"] = self.compose
            acts["/compose"] = self.send
        routes = [Route(path, _reading(view), methods=["GET"]) for path, view in paths.items()]
        routes += [Route(path, self._acting(act), methods=["POST"]) for path, act in acts.items()]
        handlers: dict[Any, Any] = {
            HTTPException: _failed, UserError: _failed, ConfigurationError: _failed, TransientError: _failed,
            ClientError: _failed, BotoCoreError: _failed,
        }  # fmt: skip
        return Guard(Starlette(routes=routes, exception_handlers=handlers), port, self.own)

    def emails(self, request: Request) -> Response:
        """The list, by the filters in the query; or the page of the email that the query names."""
        asked = {name: value.strip()[:200] for name, value in request.query_params.items() if value.strip()}
        if "email" in asked:
            named = messages.find_email(self.home, asked["email"])
            return RedirectResponse(f"/messages/{quote(named.email_id)}", 303)
        now = datetime.now(UTC)
        wanted = Filter(
            route=asked.get("route"),
            sender=asked.get("from"),
            subject=asked.get("subject"),
            outcomes=(asked["outcome"],) if "outcome" in asked else (),
            since=moment_given(asked.get("since"), now=now),
            until=moment_given(asked.get("until"), now=now),
        )
        found = list(islice(messages.emails(self.home.index, wanted, page=_ASKED), _SHOWN + 1))
        older = ""
        if len(found) > _SHOWN and (last := found[_SHOWN - 1].received):
            older = "?" + urlencode(asked | {"until": last.isoformat()})
        return self._page(
            "list.html.j2", title=self.home.name, entries=found[:_SHOWN], asked=asked, outcomes=OUTCOMES, older=older
        )

    def email(self, request: Request) -> Response:
        """One email, with the execution that the query names, or else its latest one."""
        entry = self._entry(request)
        shown = showing.gather(self.home, entry)
        asked, redrives = request.query_params.get("execution"), request.query_params.get("redrives", "")
        execution = _execution(entry, asked)
        run = _run(execution) if execution else None
        awaited = execution is not None and _is_awaited(execution, asked, redrives)
        return self._page(
            "message.html.j2", title=entry.subject or entry.email_id, entry=entry, shown=shown,
            run=run, alone=False, frames={}, turns=awaited or _turns(entry, run),
            done=request.query_params.get("done", "")[:200],
        )  # fmt: skip

    def message_html(self, request: Request) -> Response:
        """The HTML of the message, for a frame."""
        message = mail_bucket.find_message(self.home.bucket, self._entry(request).email_id)
        return _mail(frames.of_message(self.home.bucket, message))

    def answer_html(self, request: Request) -> Response:
        """The HTML of the answer, for a frame."""
        answer = showing.answer_to(self.home, self._entry(request).email_id)
        return _mail(frames.of_answer(answer))

    def raw(self, request: Request) -> Response:
        """The raw message, as SES stored it."""
        entry = self._entry(request)
        if not (entry.bucket and entry.key):
            raise HTTPException(404, "The index does not know where the raw message is.")
        content = mail_objects.read(_s3(), entry.bucket, entry.key, entry.version_id)
        if not content:
            raise HTTPException(404, "The raw message is gone.")
        return _download(content, f"{entry.email_id}.eml")

    def attachment(self, request: Request) -> Response:
        """An attachment of the message, counted from 1."""
        message = mail_bucket.find_message(self.home.bucket, self._entry(request).email_id)
        one = _nth(message.attachments if message else (), request)
        return _download(mail_bucket.read_attachment(self.home.bucket, one), one.filename)

    def answer_attachment(self, request: Request) -> Response:
        """An attachment of the answer, counted from 1."""
        answer = showing.answer_to(self.home, self._entry(request).email_id)
        one = _nth(answer.attachments if answer else (), request)
        return _download(one.content, pages.filename(one, request.path_params["number"]))

    def replay(self, request: Request, body: bytes) -> Response:
        """Process the message again, in a new execution."""
        entry, form = self._entry(request), _form(body)
        execution = _needed(_execution(entry, form.get("execution")))
        again = replay.replay(_sfn(), execution.arn, reply_again=form.get("reply_again") == "yes")
        return _back(entry, "Processing it again.", again.rpartition(":")[2])

    def redrive(self, request: Request, body: bytes) -> Response:
        """Repeat the failed task of an execution."""
        entry = self._entry(request)
        execution = _needed(_execution(entry, _form(body).get("execution")))
        sfn = _sfn()
        failed = sfn.describe_execution(executionArn=execution.arn)
        done = failures.redrive(sfn, failures.failure_of(failed))
        if done != failures.REDRIVEN:
            return _back(entry, f"{done[0].upper()}{done[1:]}.", execution.name)
        # The index hears of the redrive later, and the history may be older, too.
        return _back(entry, "The failed task is repeated.", execution.name, failed.get("redriveCount", 0) + 1)

    def release(self, request: Request, body: bytes) -> Response:
        """Process a message in quarantine again, and take its copy out."""
        entry, quarantine = self._entry(request), Quarantine(self.home)
        again = quarantine.release(quarantine.find(entry.email_id))
        # With its name, the page follows the new execution before the index knows of it.
        return _back(entry, f"Quarantine: {again.done}.", again.execution.rpartition(":")[2])

    def compose(self, request: Request) -> Response:
        """The form for a message to the local account."""
        return self._page("compose.html.j2", title="Write a message", addresses=self._local().addresses)

    def send(self, request: Request, body: bytes) -> Response:
        """Send what the form has, or a message file, to the local account's SES."""
        form = _form(body)
        self._local().send(form)
        return RedirectResponse("/", 303)

    def _local(self) -> LocalMail:
        if self.local is None:
            raise HTTPException(404)
        return self.local

    def _page(self, template: str, **values: Any) -> Response:
        return HTMLResponse(pages.render(template, form=self.own.form, local=bool(self.local), **values))

    def _entry(self, request: Request) -> "IndexEntry":
        entry = self.home.index.get(request.path_params["email_id"])
        if entry is None:
            raise HTTPException(404, "The index has no such email.")
        return entry

    def _acting(self, act: Callable[[Request, bytes], Response]) -> Callable[[Request], Any]:
        """The view of a form, which has to have the token of our forms (OWASP, "Synchronizer Token Pattern")."""

        async def view(request: Request) -> Response:
            bound = _MAIL_OCTETS if self.local else _FORM_OCTETS
            body = bytearray()
            async for part in request.stream():
                body += part
                if len(body) > bound:
                    raise HTTPException(413, "The form is too large.")
            if not hmac.compare_digest(_form(bytes(body)).get("form", "").encode(), self.own.form.encode()):
                raise HTTPException(403, "The form is of another run of mailstep web: load the page again.")
            return await run_in_threadpool(act, request, bytes(body))

        return view


def _reading(view: Callable[[Request], Response]) -> Callable[[Request], Any]:
    async def one_at_a_time(request: Request) -> Response:
        # boto3's default session makes clients in one thread only (Boto3 documentation, "Multithreading").
        to_thread.current_default_thread_limiter().total_tokens = 1
        return await run_in_threadpool(view, request)

    return one_at_a_time


def _failed(request: Request, error: Exception) -> Response:
    status = 502
    match error:
        case HTTPException():
            status, told = error.status_code, error.detail
        case UserError() | ConfigurationError():
            status, told = 400, str(error)
        case ClientError():
            told = refused(error)
        case BotoCoreError():
            told = unasked(error)
        case _:
            told = f"AWS is unavailable or throttles the request ({error}). Try again."
    return HTMLResponse(pages.render("error.html.j2", title="Not done", told=told, local=False), status)


def _form(body: bytes) -> dict[str, str]:
    """The fields of a form (WHATWG URL Standard, application/x-www-form-urlencoded)."""
    try:
        return {name: values[0] for name, values in parse_qs(body.decode(), max_num_fields=20).items()}
    except ValueError as error:
        raise HTTPException(400, "This is not a form.") from error


def _execution(entry: "IndexEntry", name: str | None) -> "Execution | None":
    """The execution of that name, or else the latest one; None if the index has no execution of the email."""
    ordered = sorted(entry.executions, key=lambda one: one.latest_start)
    named = [one for one in ordered if name and one.name == name]
    if name and not named and ordered:
        # A replay that has just begun: its event is on its way to the index.
        first = ordered[0]
        if name.startswith(f"{entry.email_id}-r"):
            arn = f"{first.arn.rpartition(':')[0]}:{name}"
            return first.model_copy(update={"arn": arn}) if failures.described(_sfn(), arn) else ordered[-1]
        raise HTTPException(404, "The email has no such execution.")
    found = named or ordered
    return found[-1] if found else None


def _needed(execution: "Execution | None") -> "Execution":
    if execution is None:
        raise UserError("the index knows no execution of this email: start it with mailstep replay --stored")
    return execution


def _run(execution: "Execution") -> pages.Run | None:
    """An execution from Step Functions; None if it is forgotten, after 90 days."""
    sfn = _sfn()
    try:
        line = history.fetch(sfn, execution.arn)
    except sfn.exceptions.ExecutionDoesNotExist:
        return None
    return pages.run(execution.name, line, definition(sfn, execution.arn))


def _is_awaited(execution: "Execution", asked: str | None, redrives: str) -> bool:
    """Whether another execution was asked for than is known, or one that was redriven more often.

    DescribeExecution is eventually consistent (API reference): it may not know yet what has just begun.
    """
    return asked not in {None, execution.name} or (redrives.isdecimal() and execution.redrives < int(redrives[:4]))


def _turns(entry: "IndexEntry", run: pages.Run | None) -> bool:
    """Whether the page will change: something runs, or the event of the execution's end is on its way to the index."""
    if entry.outcome == RUNNING or (run and run.running):
        return True
    if run is None or run.ended is None or datetime.now(UTC) - run.ended > _ON_ITS_WAY:
        return False
    known = (one.ended for one in entry.executions if one.name == run.name)
    # The history and the event of an end differ by less than a second.
    return not any(ended and ended > run.ended - timedelta(seconds=1) for ended in known)


def _mail(document: str) -> Response:
    if not document:
        raise HTTPException(404, "It has no HTML.")
    return HTMLResponse(document, headers={"Content-Security-Policy": MAIL_POLICY})


def _download(content: bytes, name: str) -> Response:
    """A file that the browser saves and never shows (RFC 6266, RFC 8187)."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(content, media_type="application/octet-stream", headers=headers)


def _nth(files: Any, request: Request) -> Any:
    number = request.path_params["number"]
    if not 1 <= number <= len(files):
        raise HTTPException(404, "There is no such file.")
    return files[number - 1]


def _back(entry: "IndexEntry", done: str, execution: str = "", redrives: int = 0) -> Response:
    """The page of the email. It turns until the index knows the execution, redriven so often."""
    query = {"done": done, "execution": execution, "redrives": redrives}
    given = urlencode({name: value for name, value in query.items() if value})
    return RedirectResponse(f"/messages/{quote(entry.email_id)}?{given}", 303)


def _s3() -> "S3Client":
    return boto3.client("s3")


def _sfn() -> "SFNClient":
    return boto3.client("stepfunctions")
