"""Requests of typed activities and of documents; what faults show."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

import rejoin
from rejoin import activities, errors
from rejoin.activities import Echo, SqlParameter, SqlQueryStatement, SqlResultsToCSV, SqlUpdateStatement

PERFORM = '<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">{}</perform>'


def test_activities_are_chained_by_their_streams(service, people):
    query = SqlQueryStatement(
        expression=f"SELECT id, name FROM {people} WHERE town = ? AND id > ? ORDER BY id", sql_parameter=["Perth", 0]
    )
    csv = SqlResultsToCSV(result_set=query.result_stream, include_header=True)
    response = service.perform(csv)
    assert response[csv.csv_output].text == "id,name\n1,Ada\n3,<Grace>\n"
    assert response.status == "COMPLETED"
    assert service.raw(csv, csv.csv_output) == b"id,name\n1,Ada\n3,<Grace>\n"


def test_a_request_may_hold_several_steps_one_after_the_other(service, people):
    update = SqlUpdateStatement(
        expression=f"UPDATE {people} SET credit = ? WHERE id = ?", sql_parameter=[None, SqlParameter(position=2, content="1")]
    )
    look = SqlQueryStatement(expression=f"SELECT count(credit) FROM {people}")
    csv = SqlResultsToCSV(result_set=look.result_stream)
    with service.session() as session:
        changed = session.perform(update.named("change"))
        assert changed[update.result_stream].xml().text == "1"
        assert session.perform(rejoin.Request(csv))["sqlResultsToCSV1.csvOutput"].text == "2\n"
    with pytest.raises(KeyError, match=r"there are: change\.resultStream"):
        _ = changed["nothing"]


def test_activities_of_every_shape_are_understood(sqlite, table):
    sqlite.update(f"CREATE TABLE {table} (id INTEGER, town TEXT)")
    store = activities.DataStore(item=["1", "2", "<3>"])
    insert = SqlUpdateStatement(
        expression=f"INSERT INTO {table} (town) VALUES (?)",
        sql_parameter=[SqlParameter(position=1, content=store.item_cursor, null_data_str="2")],
    )
    assert sqlite.perform(insert)[insert.result_stream].text == "<updateCount>3</updateCount>"
    with sqlite.session() as session:
        rows = SqlQueryStatement(expression=f"SELECT town FROM {table}")
        keep = activities.DeliverToSession(
            from_local=rows.result_stream, to_session=activities.ToSession(attribute="towns", mode="append")
        )
        session.perform(keep)
        taken = activities.DeliverFromSession(from_session="towns")
        json = activities.SqlResultsToJSON(result_set=taken.to_local, format="lines")
        assert session.perform(json)[json.json_output].text.splitlines()[1:] == ['{"town":null}', '{"town":"<3>"}']
        manage = activities.SessionAttributeManagement
        increment = manage(increment_attribute=activities.IncrementAttribute(name="n", by=3))
        assert session.perform(increment)[increment.output].xml().text == "3"
        note = ElementTree.Element("note", {"kind": "x"})
        session.perform(manage(set_attribute=activities.SetAttribute(name="note", type="xml", content=note)))
        assert session.get("note").get("kind") == "x"
        session.perform(manage(remove_attribute="note"))
        listed = manage(list_attributes=True)
        assert session.perform(listed)[listed.output].xml().get("count") == "2"
        begin = activities.TransactionManagement(begin=activities.Begin(isolation="serializable"))
        session.perform(begin)
        state = activities.TransactionManagement(state=True)
        assert session.perform(state)[state.output].xml().get("state") == "active"
        session.perform(activities.TransactionManagement(rollback=True))
    with pytest.raises(ValueError, match="exactly one of: set_attribute, increment_attribute"):
        sqlite.perform(manage(list_attributes=True, remove_attribute="n"))
    with pytest.raises(ValueError, match="exactly one of"):
        sqlite.perform(manage())


def test_names_are_given_where_there_are_none():
    one, other = Echo(text="a"), Echo(text="b").named("echo1")
    assert rejoin.Request(one, other).write() == (
        '<echo name="echo2"><text>a</text><output name="echo2.output"/></echo>\n'
        '<echo name="echo1"><text>b</text><output name="echo1.output"/></echo>'
    )
    with pytest.raises(ValueError, match="has no name yet"):
        _ = Echo(text="c").name


def test_documents_are_performed_as_they_are(sqlite):
    with sqlite.session() as session:
        response = session.perform(PERFORM.format('<echo name="say"><text>hello</text><output name="said"/></echo>'))
        assert response["said"].text == "hello"
        assert "said" in repr(response)
        assert "<td>said</td>" in response._repr_html_()


def test_faults_show_the_line_of_the_document(sqlite):
    wrong = PERFORM.format('\n  <echo name="say">\n    <txt>hello</txt>\n  </echo>\n')
    with pytest.raises(errors.DocumentInvalid) as refused:
        sqlite.perform(wrong)
    fault = refused.value
    assert (fault.code, fault.status, fault.line, fault.retryable) == ("DocumentInvalid", 400, 3, False)
    assert fault.document_line == "    <txt>hello</txt>"
    assert str(fault).splitlines()[-2:] == ["  3 |     <txt>hello</txt>", "    |     ^"]
    with pytest.raises(errors.ActivityFailed) as failed:
        sqlite.query("SELECT * FROM nowhere")
    assert "FROM nowhere" in str(failed.value)
    assert failed.value.activity_code == "SqlError"


def test_sqlstates_are_read_where_there_are_some(service, kind, people):
    with pytest.raises(errors.ActivityFailed) as failed:
        service.update(f"INSERT INTO {people} (id, name) VALUES (1, 'Again')")
    assert failed.value.sqlstate == {"sqlite": None, "postgres": "23505", "mariadb": "23000"}[kind]


def test_a_key_makes_one_of_two_requests(sqlite):
    with sqlite.session() as session:
        count = PERFORM.format(
            '<sessionAttributeManagement name="c"><incrementAttribute name="n"/><output name="o"/></sessionAttributeManagement>'
        )
        first = session.perform(count, key="0b3d2f0e-5f0e-4f6e-9d3b-6f0f5f1c2a10")
        again = session.perform(count, key="0b3d2f0e-5f0e-4f6e-9d3b-6f0f5f1c2a10")
        assert (first["o"].text, session.get("n")) == (again["o"].text, 1)
        with pytest.raises(errors.IdempotencyKeyReused):
            session.perform(count.replace('"n"', '"m"'), key="0b3d2f0e-5f0e-4f6e-9d3b-6f0f5f1c2a10")


def test_something_else_at_the_address_is_said(stage):
    with rejoin.connect(f"http://127.0.0.1:{stage.service.port}", "nobody") as service, pytest.raises(errors.ResourceNotFound):
        service.properties()
    with pytest.raises(ValueError, match="which resource"):
        rejoin.connect("http://127.0.0.1:8080")
    with pytest.raises(ValueError, match="the address of a service"):
        rejoin.connect("orders")


def test_a_sum_that_xml_can_not_hold_is_refused_before_it_is_sent(sqlite):
    with pytest.raises(ValueError, match=r"U\+0000 \(at index 1"):
        sqlite.query("SELECT ?", ["a\0"])
    with pytest.raises(TypeError, match="can't be of the type object"):
        sqlite.query("SELECT ?", [object()])
