//! How long it takes to read a perform document of 2 KB, as clients send them: a session, six activities with their streams.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rejoin::document::{Element, Limits, PerformDocument, TYPES_NAMESPACE};

/// A document of about 2,000 bytes.
fn perform_document() -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- The way of a customer through the shop: what was ordered, and who lives nearby -->
<perform xmlns="{TYPES_NAMESPACE}">
  <documentation>Orders of one customer, kept in the session, and their town as a table</documentation>
  <session id="q0ZkV3J4c2Vzc2lvbi1pZC1vZi0zMi1ieXRlcw" wait="2000" sequence="17"/>
  <sqlQueryStatement name="findOrders">
    <sqlParameter position="1">4711</sqlParameter>
    <sqlParameter position="2">2026-01-01</sqlParameter>
    <expression>SELECT o.id, o.placed, o.total, p.name FROM orders o JOIN person p ON p.id = o.person
      WHERE p.id = ? AND o.placed &gt;= ? ORDER BY o.placed</expression>
    <resultStream name="orders"/>
  </sqlQueryStatement>
  <deliverToSession name="keepOrders">
    <fromLocal from="orders"/>
    <toSession attribute="orders" mode="replace"/>
  </deliverToSession>
  <sqlQueryStatement name="findTown">
    <sqlParameter position="1">Perth</sqlParameter>
    <sqlParameter position="2">50</sqlParameter>
    <expression>SELECT id, name, phone, street, (SELECT count(*) FROM orders WHERE orders.person = person.id) AS orders
      FROM person WHERE town = ? AND active = 1 AND name &lt;&gt; '' ORDER BY name LIMIT ?</expression>
    <resultStream name="people"/>
  </sqlQueryStatement>
  <sqlResultsToCSV name="formatTown">
    <resultSet from="people"/>
    <csvOutput name="townTable"/>
    <delimiter value=";"/>
    <lineBreak value="CRLF"/>
    <includeHeader value="true"/>
    <escapeFields value="true"/>
  </sqlResultsToCSV>
  <sqlUpdateStatement name="countVisit">
    <sqlParameter position="1">4711</sqlParameter>
    <expression>UPDATE person SET visits = visits + 1, last_visit = datetime('now') WHERE id = ?</expression>
    <resultStream name="updated"/>
  </sqlUpdateStatement>
  <sessionAttributeManagement name="visits">
    <incrementAttribute name="visits" by="1"/>
    <output name="now"/>
  </sessionAttributeManagement>
</perform>
"#
    )
}

fn parse(criterion: &mut Criterion) {
    let document = perform_document();
    assert!((1_900..2_100).contains(&document.len()), "{} bytes", document.len());
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Bytes(document.len() as u64));
    group.bench_function("perform document of 2 KB", |bencher| {
        bencher.iter(|| PerformDocument::parse(black_box(document.as_bytes())));
    });
    let limits = Limits::default();
    group.bench_function("the same as elements", |bencher| {
        bencher.iter(|| Element::parse(black_box(document.as_bytes()), &limits));
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
