//! What a database says of its tables.

use std::fs;
use std::process::Command;

use super::Kind;
use super::granted::{Stage, csv};

in_every_database!(
    the_tables_of_every_database_are_told_in_one_form,
    a_schema_is_the_same_by_way_of_rows,
    only_what_was_asked_for_is_told,
    tables_are_told_with_their_sizes_and_indexes,
    foreign_keys_are_told_column_by_column,
);

/// Two tables and a view.
async fn shop(kind: Kind) -> Stage {
    let stage = Stage::new(kind).await;
    let key = stage.pick("INTEGER NOT NULL", "integer NOT NULL", "INT NOT NULL");
    let customer = format!(
        "CREATE TABLE customer (id {key}, town VARCHAR(40) DEFAULT 'Oban', credit DECIMAL(9,2) NOT NULL, PRIMARY KEY (id))"
    );
    let position =
        format!("CREATE TABLE order_position (orders {key}, line {key}, item VARCHAR(20), PRIMARY KEY (line, orders))");
    let view = "CREATE VIEW customers_of_oban AS SELECT id, credit FROM customer WHERE town = 'Oban'";
    stage.run(&[&customer, &position, view]).await;
    stage.run(&["INSERT INTO customer (id, credit) VALUES (1, 10.5), (2, 0), (3, -3)"]).await;
    stage.run(&["CREATE UNIQUE INDEX customer_town ON customer (town, id)"]).await;
    stage
}

fn extract(settings: &str) -> String {
    format!("<extractDatabaseSchema name=\"look\">{settings}<output name=\"document\"/></extractDatabaseSchema>")
}

/// The tables and views of a document, one to a line: kind, name, and the names of columns with their place in the key.
fn outline(document: &str) -> Vec<String> {
    let element = rejoin::document::Element::parse(document.as_bytes(), &rejoin::document::Limits::default()).unwrap();
    let columns = |table: &rejoin::document::Element| {
        table.elements().fold(String::new(), |text, column| {
            let key = column.attribute("primaryKey").map(|place| format!("#{place}")).unwrap_or_default();
            let nullable = if column.attribute("nullable") == Some("true") { "?" } else { "" };
            format!("{text} {}{nullable}{key}", column.attribute("name").unwrap())
        })
    };
    element
        .elements()
        .map(|table| format!("{} {}:{}", table.local_name(), table.attribute("name").unwrap(), columns(table)))
        .collect()
}

async fn the_tables_of_every_database_are_told_in_one_form(kind: Kind) {
    let stage = shop(kind).await;
    let document = stage.output(&extract(""), "document").await;
    is_valid(&document);
    let found = outline(&document);
    assert_eq!(found[0], "table customer: id#1 town? credit");
    assert!(found[1].starts_with("view customers_of_oban: id"), "{document}");
    assert_eq!(found[2], "table order_position: orders#2 line#1 item?");
    assert_eq!(found.len(), 3, "{document}");
    assert!(document.contains("Oban"), "says the default: {document}");
    let schema = stage
        .pick("<table name=", "<table schema=\"public\" name=", &format!("<table schema=\"{}\" name=", stage.database))
        .to_owned();
    assert!(document.contains(&schema), "{document}");
}

async fn a_schema_is_the_same_by_way_of_rows(kind: Kind) {
    let stage = shop(kind).await;
    let direct = stage.output(&extract(""), "document").await;
    let content = "<extractDatabaseSchema name=\"look\"><databaseSchema name=\"tables\"/></extractDatabaseSchema>\
        <databaseSchemaToXML name=\"write\"><databaseSchema from=\"tables\"/><output name=\"document\"/></databaseSchemaToXML>";
    assert_eq!(stage.output(content, "document").await, direct);
    let both = "<extractDatabaseSchema name=\"look\"><table>order%</table><databaseSchema name=\"rows\"/>\
        <output name=\"document\"/></extractDatabaseSchema>";
    let rows = stage.output(&[both, &csv("rows")].concat(), "csv").await;
    let keys: Vec<&str> = rows.lines().map(|line| line.rsplit(',').next().unwrap()).collect();
    assert_eq!(keys, ["2", "1", ""], "{rows}");
}

async fn only_what_was_asked_for_is_told(kind: Kind) {
    let stage = shop(kind).await;
    let ask = async |settings: &str| outline(&stage.output(&extract(settings), "document").await);
    assert_eq!(ask("<table>cust%</table><tablesOnly value=\"true\"/>").await, ["table customer: id#1 town? credit"]);
    assert_eq!(
        ask("<namesOnly value=\"true\"/>").await,
        ["table customer:", "view customers_of_oban:", "table order_position:"]
    );
    assert_eq!(ask("<table>customer</table><namesOnly value=\"1\"/>").await, ["table customer:"]);
    assert_eq!(ask("<schema>elsewhere</schema>").await, [""; 0]);
    let schema = stage.pick("main", "public", &stage.database).to_owned();
    assert_eq!(ask(&format!("<schema>{schema}</schema>")).await.len(), 3);
}

#[tokio::test]
async fn rows_that_are_no_schema_are_refused() {
    let stage = Stage::new(Kind::Sqlite).await;
    let content = "<sqlQueryStatement name=\"q\"><expression>SELECT 1 AS n</expression><resultStream name=\"r\"/></sqlQueryStatement>\
        <databaseSchemaToXML name=\"write\"><databaseSchema from=\"r\"/><output name=\"document\"/></databaseSchemaToXML>";
    stage.perform(content).await.is_fault(422, "ActivityFailed").says("there is no column `schema`");
}

async fn tables_are_told_with_their_sizes_and_indexes(kind: Kind) {
    let stage = shop(kind).await;
    let content = "<extractPhysicalSchema name=\"weigh\"><getTables name=\"customer\"/><output name=\"sizes\"/></extractPhysicalSchema>";
    let document = stage.output(content, "sizes").await;
    is_valid(&document);
    let root = rejoin::document::Element::parse(document.as_bytes(), &rejoin::document::Limits::default()).unwrap();
    let tables: Vec<_> = root.elements().collect();
    assert_eq!(tables.len(), 1, "{document}");
    assert_eq!(tables[0].attribute("name"), Some("customer"));
    let index = tables[0].elements().find(|index| index.attribute("name") == Some("customer_town")).unwrap();
    assert_eq!(index.attribute("unique"), Some("true"));
    let columns: Vec<_> = index.elements().map(|column| column.attribute("name").unwrap()).collect();
    assert_eq!(columns, ["town", "id"]);
    let all = "<extractPhysicalSchema name=\"weigh\"><output name=\"sizes\"/></extractPhysicalSchema>";
    assert_eq!(outline(&stage.output(all, "sizes").await).len(), 2, "views take nothing");
}

async fn foreign_keys_are_told_column_by_column(kind: Kind) {
    let stage = Stage::new(kind).await;
    stage
        .run(&[
            "CREATE TABLE place (country INTEGER, town INTEGER, PRIMARY KEY (country, town))",
            "CREATE TABLE house (id INTEGER PRIMARY KEY, country INTEGER, town INTEGER, behind INTEGER, \
             FOREIGN KEY (country, town) REFERENCES place (country, town), FOREIGN KEY (behind) REFERENCES house (id))",
        ])
        .await;
    let content = "<extractPhysicalSchema name=\"weigh\"><output name=\"sizes\"/></extractPhysicalSchema>";
    let document = stage.output(content, "sizes").await;
    is_valid(&document);
    let root = rejoin::document::Element::parse(document.as_bytes(), &rejoin::document::Limits::default()).unwrap();
    let mut keys: Vec<String> = Vec::new();
    for table in root.elements() {
        for key in table.elements().filter(|child| child.local_name() == "foreignKey") {
            let pairs: Vec<String> = key
                .elements()
                .map(|column| ["name", "references"].map(|name| column.attribute(name).unwrap()).join(">"))
                .collect();
            let tables = [table.attribute("name").unwrap(), key.attribute("table").unwrap()].join(">");
            keys.push(format!("{tables} {}", pairs.join(" ")));
            assert_eq!(key.attribute("name").is_some(), kind != Kind::Sqlite);
            let schema = stage.pick("", "public", &stage.database).to_owned();
            assert_eq!(key.attribute("schema").unwrap_or_default(), schema);
        }
    }
    keys.sort();
    assert_eq!(keys, ["house>house behind>id", "house>place country>country town>town"], "{document}");
}

/// What the schema of the document says.
#[track_caller]
fn is_valid(document: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("document.xml");
    fs::write(&path, document).unwrap();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/database-schema.xsd");
    let done = Command::new("xmllint").args(["--noout", "--nonet", "--schema", schema]).arg(&path).output().unwrap();
    assert!(done.status.success(), "{}: {document}", String::from_utf8_lossy(&done.stderr));
}
