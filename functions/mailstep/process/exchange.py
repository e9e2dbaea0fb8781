"""One POST over HTTP, and its answer as octets: all of it within one deadline."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse, IncompleteRead
from io import BufferedReader
from typing import cast

import urllib3

from mailstep.budget import Budget, OverBudget
from mailstep.errors import ConfigurationError, TransientError

_CONNECT_SECONDS = 3
_PIECE = 64 * 1024
_EXPLANATION_BOUND = 500


class _WholeHeader(HTTPResponse):
    """A response whose header ends with an empty line (RFC 9112 section 2.1).

    For http.client, the end of the connection ends the header too, and a response that is cut off there has an empty
    body: a fault of the application, where trying again helps.
    """

    def begin(self) -> None:
        connection = self.fp
        lines = _Lines(connection)
        watched = self.fp = cast("BufferedReader", lines)
        try:
            super().begin()
        finally:
            # If the response is not HTTP, http.client has closed the connection and taken `fp` away.
            if self.fp is watched:
                self.fp = connection
        if not lines.last:
            raise IncompleteRead(b"")


class _Lines:
    """The lines of a connection, the last of them kept."""

    def __init__(self, connection: BufferedReader) -> None:
        self._connection, self.last = connection, b""

    def readline(self, most: int) -> bytes:
        self.last = self._connection.readline(most)
        return self.last

    def close(self) -> None:
        self._connection.close()


class _Connection(urllib3.connection.HTTPConnection):
    response_class = _WholeHeader


class _TlsConnection(urllib3.connection.HTTPSConnection):
    response_class = _WholeHeader


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


@dataclass(frozen=True)
class Response:
    """The answer to a request. `body` is as it was sent, and one octet over the limit if it is larger."""

    status: int
    fields: Mapping[str, str]
    body: bytes

    @property
    def is_encoded(self) -> bool:
        """Whether the body is compressed (RFC 9110 section 8.4), though we asked for no coding."""
        return self.fields.get("Content-Encoding", "").strip().lower() not in {"", "identity"}


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, at_most: int) -> Response:
    """Send the request once, and read at most `at_most` octets and one more of the answer.

    It follows no redirect and decodes nothing: a compressed body could grow to a thousand times its size.

    Raises:
        TransientError: no whole answer came within `seconds`, from the connection to the last octet.
        ConfigurationError: the URL is invalid.
    """
    # The limits of a socket begin anew with each octet that comes. An alarm does not.
    try:
        with Budget(seconds):
            return _exchange(url, body, headers, urllib3.Timeout(connect=_CONNECT_SECONDS, total=seconds), at_most)
    except OverBudget:
        raise TransientError(f"the application did not answer within {seconds:g} seconds") from None
    except urllib3.exceptions.LocationValueError as error:
        raise ConfigurationError("the application's URL is invalid") from error
    except urllib3.exceptions.HTTPError as error:
        # A TLS error says what is wrong with the certificate, and contains nothing of the sender's.
        why = f": {error}"[:_EXPLANATION_BOUND] if isinstance(error, urllib3.exceptions.SSLError) else ""
        raise TransientError(f"the application did not answer: {type(error).__name__}{why}") from error


def _exchange(url: str, body: bytes, headers: Mapping[str, str], timeout: urllib3.Timeout, at_most: int) -> Response:
    # A connection of its own: one that was kept may have ended while Lambda had this environment frozen.
    # Without retries, urllib3 follows no redirect either.
    with urllib3.PoolManager(retries=False) as pool:
        pool.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        answer = pool.request(
            "POST",
            url,
            body=body,
            headers={**headers, "Accept-Encoding": "identity"},
            timeout=timeout,
            preload_content=False,
            decode_content=False,
        )
        content = bytearray()
        # Read to the end: only there is a body known to be cut off.
        while len(content) <= at_most and (piece := answer.read(min(_PIECE, at_most + 1 - len(content)))):
            content += piece
        answer.close()
    return Response(answer.status, answer.headers, bytes(content))
