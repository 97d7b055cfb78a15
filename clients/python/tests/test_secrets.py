"""Session ids, passwords, tokens and keys stand in no repr, log or exception."""

from __future__ import annotations

import logging
import subprocess
import traceback

import pytest

import rejoin
from proxy import Break, Proxy
from rejoin import dbapi
from servers import Rejoin, binary


@pytest.fixture
def guarded(tmp_path):
    """A service that wants to know who asks."""
    made = subprocess.run([binary(), "user", "ada"], input="a-long-password\n", capture_output=True, text=True, check=True)
    service = Rejoin(
        {"orders": "sqlite:orders.db?mode=rwc"},
        authentication='<authentication impl="basic"><users location="users"/></authentication>',
        files={"users": made.stdout},
    )
    yield service
    service.stop()


def test_nothing_that_is_shown_holds_a_secret(stage, caplog):
    caplog.set_level(logging.DEBUG)
    proxy = Proxy(stage.service.port)
    shown = []
    with rejoin.connect(proxy.url, "sqlite", patience=0) as service, service.session() as session:
        secret = session.id
        shown += [repr(service), repr(session), session._repr_html_(), repr(session.transaction()), repr(session._operations)]
        shown += [repr(vars(session)), repr(session.status()), repr(session.session_stream("s")), service._repr_html_()]
        response = session.perform('<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types"/>')
        shown.append(repr(response))
        for moment in (Break.AFTER_ANSWER, Break.BEFORE_REQUEST):
            proxy.breaks(moment)
            with pytest.raises(rejoin.LostAnswer) as lost:
                session.increment("n")
            shown += ["".join(traceback.format_exception(lost.value)), repr(lost.value), repr(lost.value.__context__)]
            assert lost.value.key
            assert lost.value.key not in "".join(shown)
        with pytest.raises(rejoin.Fault) as fault:
            session.query("SELECT * FROM nowhere")
        shown += [str(fault.value), repr(fault.value), repr(fault.value.details), repr(fault.value.__dict__)]
        with dbapi.connect(proxy.url, "sqlite") as connection:
            shown += [repr(connection), repr(vars(connection))]
            assert connection.session.id not in "".join(shown)
    proxy.close()
    assert secret not in "".join(shown)
    logged = "\n".join(record.getMessage() for record in caplog.records)
    # The library below was talkative, and told nothing.
    assert "send_request_headers" in logged
    assert "rejoin-session" in logged.lower()
    assert secret not in logged


def test_the_line_of_a_document_shows_no_session_id(stage):
    with rejoin.connect(stage.service.url, "sqlite") as service, service.session() as session:
        requirement = f'<session id="{session.id}" mode="jion"/>'
        document = f'<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">{requirement}</perform>'
        with pytest.raises(rejoin.Fault) as caught:
            service.perform(document)
        assert 'mode="jion"' in str(caught.value)
        assert session.id not in str(caught.value)


def test_who_asks_is_told_to_the_service_alone(guarded, caplog):
    caplog.set_level(logging.DEBUG)
    address = f"http://ada:a-long-password@127.0.0.1:{guarded.port}/services/orders"
    with rejoin.connect(address) as service, service.session() as session:
        assert session.query("SELECT 1").scalar() == 1
        assert "password" not in repr(service) + repr(vars(service))
    with rejoin.connect(guarded.url, "orders", auth=("ada", "a-long-password")) as service:
        assert service.query("SELECT 1").scalar() == 1
    with rejoin.connect(guarded.url, "orders", auth=("ada", "wrong-password")) as service:
        with pytest.raises(rejoin.errors.Unauthenticated) as refused:
            service.query("SELECT 1")
        assert "wrong-password" not in "".join(traceback.format_exception(refused.value)) + repr(vars(service))
    with rejoin.connect(guarded.url, "orders", token="a-secret-token") as service:
        with pytest.raises(rejoin.errors.Unauthenticated):
            service.query("SELECT 1")
        assert "a-secret-token" not in repr(vars(service))
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert "a-long-password" not in logged
    assert "a-secret-token" not in logged
    # Base64 of ada:a-long-password.
    assert "YWRhOmEtbG9uZy1wYXNzd29yZA" not in logged


def test_tools_that_show_variables_show_no_secret(stage):
    """Some write the variables of every frame of a traceback into a report."""
    proxy = Proxy(stage.service.port)
    shown, secrets = [], []

    def note(error):
        shown.extend(traceback.TracebackException.from_exception(error, capture_locals=True).format())

    with rejoin.connect(proxy.url, "sqlite", patience=0) as service, service.session() as session:
        for operation in (
            lambda: session.increment("n"),
            lambda: session.query("SELECT * FROM nowhere"),
            session.rotate,
            session.status,
            session.cancel,
            lambda: session.session_stream("x").read(),
            session.transaction().begin,
        ):
            # (Backwards: they are variables here, too.)
            secrets.append(session.id[::-1])
            proxy.breaks(Break.AFTER_ANSWER)
            with pytest.raises(rejoin.RejoinError) as failed:
                operation()
            note(failed.value)
            secrets.append((getattr(failed.value, "key", None) or "")[::-1])
        with pytest.raises(rejoin.RejoinError) as failed:
            session.submit('<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types"><nothing/></perform>')
        note(failed.value)
    proxy.close()
    whole = "".join(shown)
    assert "exchange = " in whole
    assert len(set(filter(None, secrets))) >= 4
    lines = [line for line in whole.splitlines() if any(secret and secret[::-1] in line for secret in secrets)]
    assert lines == []


def test_what_a_header_can_not_hold_is_refused_and_not_shown(stage):
    with pytest.raises(ValueError, match="a token has to be made of visible ASCII characters; does it end with a line break"):
        rejoin.connect(stage.service.url, "sqlite", token="a-secret-token\n")
    with rejoin.connect(stage.service.url, "sqlite") as service:
        for wrong in ("a-secret-id\r\nX: y", "é", ""):
            with pytest.raises(ValueError, match="a session id has to be made of visible ASCII") as refused:
                service.join(wrong)
            assert "secret" not in "".join(traceback.format_exception(refused.value.with_traceback(None)))
        with pytest.raises(ValueError, match="an idempotency key has to be made of visible ASCII"):
            service.update("DELETE FROM nowhere", key="a\nb")


def test_the_key_of_a_lost_answer_asks_for_that_answer(stage):
    proxy = Proxy(stage.service.port)
    count = (
        '<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types"><sessionAttributeManagement name="c">'
        '<incrementAttribute name="n"/><output name="o"/></sessionAttributeManagement></perform>'
    )
    with rejoin.connect(proxy.url, "sqlite", patience=0) as service, service.session() as session:
        session.update("CREATE TABLE IF NOT EXISTS kept (n INTEGER)")
        before = session.query("SELECT count(*) FROM kept").scalar()
        for ask in (
            lambda key: session.perform(count, key=key)["o"].text,
            lambda key: session.raw(count, "o", key=key).decode(),
            lambda key: session.update("INSERT INTO kept VALUES (?)", [1], key=key),
        ):
            proxy.breaks(Break.AFTER_ANSWER)
            with pytest.raises(rejoin.LostAnswer) as lost:
                ask(None)
            ask(lost.value.key)
            ask(lost.value.key)
        assert session.get("n") == 2
        assert session.query("SELECT count(*) FROM kept").scalar() == before + 1
        # A key with quotes in it is one, too.
        session.perform(count, key='"0b3d2f0e" \\'.replace(" ", "-"))
        session.perform(count, key='"0b3d2f0e" \\'.replace(" ", "-"))
        assert session.get("n") == 3
    proxy.close()
