"""What is sent again and what is not, against a service that is played."""

from __future__ import annotations

import asyncio
import copy
import http.server
import pickle
import threading
import types
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import rejoin
from rejoin import errors
from rejoin.dbapi._errors import translated

TYPES = 'xmlns="http://ogsadai.org.uk/namespaces/2005/10/types"'
COUNT = "<updateCount>1</updateCount>"


def fault(code: str, status: int, **attributes: str) -> httpx.Response:
    named = {"retryable": "false", "recreateSession": "false", **attributes}
    written = "".join(f' {key}="{value}"' for key, value in named.items())
    document = f'<fault {TYPES} code="{code}" status="{status}" requestId="r"{written}><message>no</message></fault>'
    return httpx.Response(status, text=document)


class Played:
    """A service that gives these answers, one after the other; an exception breaks the connection."""

    def __init__(self, *answers: httpx.Response | type[httpx.TransportError]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, httpx.Response):
            headers = {name: value for name, value in {"rejoin-request-id": "r", **answer.headers}.items() if value}
            if "content-encoding" in headers:
                return httpx.Response(answer.status_code, headers=headers, stream=answer.stream)
            return httpx.Response(answer.status_code, content=answer.content, headers=headers)
        raise answer("broken", request=request)

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("idempotency-key") for request in self.requests]


@pytest.fixture(params=["blocking", "asynchronous"])
def asked(request) -> Callable[..., object]:
    """Asks a played service, by either client."""

    def ask(played: Played, operation: str, *arguments: object, **options: object) -> object:
        if request.param == "blocking":
            with rejoin.connect("http://service", "r", transport=httpx.MockTransport(played), **options) as service:
                return getattr(service, operation)(*arguments)

        async def asynchronously() -> object:
            transport = httpx.MockTransport(played)
            async with rejoin.connect_async("http://service", "r", transport=transport, **options) as service:
                return await getattr(service, operation)(*arguments)

        return asyncio.run(asynchronously())

    return ask


BUSY = {"retryable": "true", "retryAfter": "0"}


def test_what_changes_something_is_repeated_under_its_key(asked):
    played = Played(
        httpx.ReadError,
        fault("ServerBusy", 503, **BUSY),
        fault("SessionConflict", 409, **BUSY),
        httpx.ConnectError,
        # A gateway in between.
        httpx.Response(502, text="<html>Bad gateway</html>"),
        httpx.Response(200, text=COUNT),
    )
    assert asked(played, "update", "DELETE FROM t") == 1
    assert len(played.requests) == 6
    assert len(set(played.keys)) == 1
    assert len(played.keys[0]) == 38
    assert len({request.content for request in played.requests}) == 1


def test_what_only_reads_gets_a_key_when_it_is_repeated(asked):
    played = Played(
        httpx.RemoteProtocolError, httpx.ReadError, fault("ResultsNotKept", 409), httpx.ReadError, fault("SqlError", 422)
    )
    with pytest.raises(rejoin.Fault) as failed:
        asked(played, "query", "SELECT 1")
    # A code that this version does not know.
    assert (type(failed.value), failed.value.code) == (rejoin.Fault, "SqlError")
    first, second, third, fourth, fifth = played.keys
    assert first is None
    assert second == third
    assert fourth == fifth
    assert None not in (second, fourth)
    assert second != fourth


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (fault("ActivityFailed", 422), errors.ActivityFailed),
        (fault("TransactionConflict", 409, **BUSY), errors.TransactionConflict),
        (fault("OutcomeUnknown", 409), errors.OutcomeUnknown),
        (fault("ResultsNotKept", 409), errors.ResultsNotKept),
        (fault("SessionEnded", 410, reason="idle", time="2026-11-22T00:00:00Z"), errors.SessionEnded),
        (httpx.Response(403, text="<html>Forbidden</html>"), errors.UnexpectedAnswer),
        (httpx.Response(404, text="nothing here"), errors.UnexpectedAnswer),
    ],
)
def test_what_is_final_is_not_repeated(asked, answer, kind):
    played = Played(answer)
    with pytest.raises(kind):
        asked(played, "update", "DELETE FROM t")
    assert len(played.requests) == 1


def test_patience_ends(asked):
    with pytest.raises(errors.ServerBusy) as busy:
        asked(Played(fault("ServerBusy", 503, retryable="true", retryAfter="60")), "update", "DELETE FROM t")
    assert busy.value.retry_after == 60
    with pytest.raises(rejoin.LostAnswer) as lost:
        asked(Played(httpx.ReadTimeout), "update", "DELETE FROM t", patience=0)
    assert lost.value.may_have_run
    assert lost.value.key
    with pytest.raises(rejoin.LostAnswer) as lost:
        asked(Played(httpx.ConnectError), "update", "DELETE FROM t", patience=0)
    assert not lost.value.may_have_run


def test_advice_is_taken(asked, monkeypatch):
    slept = []
    sleep = asyncio.sleep

    async def asleep(seconds):
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr("rejoin._transport.time", types.SimpleNamespace(sleep=slept.append))
    monkeypatch.setattr("rejoin._transport.asyncio", types.SimpleNamespace(sleep=asleep))
    busy = [fault("ServerBusy", 503, retryable="true", retryAfter=str(after)) for after in (3, 1)]
    # Without advice each pause is about twice the one before.
    asked(Played(*busy, httpx.ReadError, httpx.ReadError, httpx.Response(200, text=COUNT)), "update", "DELETE FROM t")
    assert slept[:2] == [3, 1]
    assert slept[2] < slept[3] * 4 < 16
    # What does not say that it may be retried is not.
    with pytest.raises(errors.ServerBusy):
        asked(Played(fault("ServerBusy", 503, retryAfter="0")), "update", "DELETE FROM t")


def test_who_is_turned_away_after_an_answer_was_lost_is_told_so(asked):
    busy = fault("ServerBusy", 503, retryable="true", retryAfter="60")
    with pytest.raises(rejoin.LostAnswer, match="since then: ServerBusy") as lost:
        asked(Played(httpx.ReadError, busy), "update", "DELETE FROM t")
    assert lost.value.may_have_run
    assert lost.value.key
    for code, status in (("SessionEnded", 410), ("SessionNotFound", 404), ("Unauthenticated", 401), ("Forbidden", 403)):
        with pytest.raises(rejoin.LostAnswer, match=f"may have run; since then: {code}") as lost:
            asked(Played(httpx.ReadError, fault(code, status)), "update", "DELETE FROM t")
        assert lost.value.may_have_run
        assert lost.value.key
        assert type(lost.value.__cause__).__name__ == code
        # What certainly never ran is what it was.
        with pytest.raises(errors.Fault, match="no"):
            asked(Played(fault("ServerBusy", 503, **BUSY), fault(code, status)), "update", "DELETE FROM t")
    # Nothing has come of one that never arrived, or that only reads.
    for operation, broken in (("update", httpx.ConnectError), ("query", httpx.ReadError)):
        with pytest.raises(errors.ServerBusy):
            asked(Played(fault("ServerBusy", 503, **BUSY), broken, busy), operation, "DELETE FROM t")


def test_an_address_where_nobody_ever_was_is_told_at_once(asked):
    played = Played(httpx.ConnectError)
    with pytest.raises(rejoin.LostAnswer, match="can't be reached"):
        asked(played, "query", "SELECT 1")
    assert len(played.requests) == 1


def test_an_answer_that_is_no_answer_is_told(asked):
    for content in ("", "<html/>", f"<response {TYPES}/>"):
        with pytest.raises(errors.UnexpectedAnswer):
            asked(Played(httpx.Response(200, text=content)), "perform", f"<perform {TYPES}/>")


def test_results_that_were_not_kept_are_told_as_such(asked):
    answer = (
        f'<response {TYPES} requestId="r"><session id="i" created="true"/><result name="u" status="COMPLETED"/>'
        '<request status="COMPLETED" resultsKept="false"/></response>'
    )
    response = asked(Played(httpx.ReadError, httpx.Response(200, text=answer)), "perform", f"<perform {TYPES}/>")
    assert isinstance(response, rejoin.Response)
    assert not response.results_kept
    with pytest.raises(errors.ResultsNotKept):
        _ = response["u.output"]


def test_every_code_of_the_documentation_has_its_class():
    wire = (Path(__file__).parents[3] / "docs" / "wire.md").read_text()
    table = wire[wire.index("| status | code | when |") :]
    codes = {line.split("`")[1] for line in table[: table.index("\n\n")].splitlines()[2:]}
    missing = {code for code in codes if errors.fault(errors.FaultDetails(code=code, message="")).__class__ is rejoin.Fault}
    assert missing == set()


def test_patience_begins_with_the_first_mishap(asked, monkeypatch):
    now = 1000.0
    monkeypatch.setattr("rejoin._protocol.time", types.SimpleNamespace(monotonic=lambda: now))

    class Slow(Played):
        def __call__(self, request):
            nonlocal now
            # Longer than patience lasts.
            now += 60 * (len(self.requests) == 0)
            return super().__call__(request)

    assert asked(Slow(httpx.ReadError, httpx.Response(200, text=COUNT)), "update", "DELETE FROM t") == 1


def test_a_stream_is_asked_for_until_it_begins(asked):
    def opened(*answers):
        played = Played(*answers)
        with (
            rejoin.connect("http://service", "r", transport=httpx.MockTransport(played)) as service,
            pytest.raises(errors.RejoinError) as failed,
            service.stream_query("SELECT 1") as rows,
        ):
            list(rows)
        return played, failed.value

    played, failed = opened(fault("ServerBusy", 503, **BUSY), httpx.ReadError, httpx.Response(200, text="<html/>"))
    assert len(played.requests) == 3
    assert played.keys == [None] * 3
    assert isinstance(failed, errors.RejoinError)
    played, failed = opened(fault("ActivityFailed", 422))
    assert (len(played.requests), type(failed)) == (1, errors.ActivityFailed)


def test_a_stream_of_what_changes_something_is_asked_for_once():
    played = Played(fault("ServerBusy", 503, **BUSY))
    with rejoin.connect("http://service", "r", transport=httpx.MockTransport(played)) as service:
        with pytest.raises(errors.ServerBusy), service.stream(f"<perform {TYPES}/>", "x"):
            pass
        assert len(played.requests) == 1
        # Asked for again, it might stop another request.
        played.answers = [httpx.ReadError]
        with pytest.raises(rejoin.LostAnswer):
            service.join("0123456789").cancel()
        assert len(played.requests) == 2


def test_what_is_no_answer_of_the_service_is_no_answer(asked):
    for content in ("<html/>", "", "<updateCount/>", "<updateCount>1</updateCount><updateCount>2</updateCount>"):
        with pytest.raises(errors.UnexpectedAnswer):
            asked(Played(httpx.Response(200, text=content)), "update", "DELETE FROM t")
    with pytest.raises(errors.UnexpectedAnswer, match="something else answers"):
        asked(Played(httpx.Response(200, text=COUNT, headers={"Rejoin-Request-Id": ""})), "raw", f"<perform {TYPES}/>", "x")
    # What can't be decompressed is as good as broken, and shows nothing of the request.
    broken = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))
    with pytest.raises(rejoin.LostAnswer) as lost:
        asked(Played(broken), "update", "DELETE FROM t", patience=0)
    assert lost.value.__context__ is None or "Lost" in type(lost.value.__context__).__name__


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """Leads everybody elsewhere, and notes what came with them."""

    seen: list[str | None] = []  # noqa: RUF012 (one list for all)
    status, target = 302, ""

    def do_POST(self):
        self.seen.append(self.headers.get("Authorization"))
        self.send_response(self.status)
        self.send_header("Location", self.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST  # noqa: N815

    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_credentials_are_led_nowhere(status):
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Elsewhere,), {"seen": []})) for _ in range(2)]
    one, other = servers
    one.RequestHandlerClass.status = status
    one.RequestHandlerClass.target = f"http://127.0.0.1:{other.server_port}/services/r"
    for each in servers:
        threading.Thread(target=each.serve_forever, daemon=True).start()
    with rejoin.connect(f"http://127.0.0.1:{one.server_port}", "r", auth=("ada", "secret"), patience=0) as service:
        for ask in (service.properties, lambda: service.update("DELETE FROM t"), lambda: service.query("SELECT 1")):
            with pytest.raises(errors.UnexpectedAnswer, match="leads elsewhere"):
                ask()
    assert len(one.RequestHandlerClass.seen) == 3
    assert other.RequestHandlerClass.seen == []
    for each in servers:
        each.shutdown()
        each.server_close()


def test_exceptions_travel_between_processes():
    details = errors.FaultDetails(code="SessionEnded", message="idle", status=410, line=1, column=2, document="<perform/>")
    for error in (
        errors.fault(details),
        errors.fault(errors.FaultDetails(code="New", message="x")),
        rejoin.LostAnswer("lost", may_have_run=True, key="k"),
        errors.UnexpectedAnswer("what?", 404),
        errors.TransferBroken("broken"),
    ):
        for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert type(other) is type(error)
            assert (str(other), vars(other)) == (str(error), vars(error))
        raised = translated(error)
        again = pickle.loads(pickle.dumps(raised))
        assert (type(again), str(again), str(again.fault)) == (type(raised), str(raised), str(error))
