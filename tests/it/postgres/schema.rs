//! What a database says of its tables.

use rejoin::resource::relational::{SchemaFilter, TableKind};

use super::new_database;

#[tokio::test(flavor = "multi_thread")]
async fn tables_and_views_have_their_columns() {
    let database = new_database();
    database.psql(
        "CREATE TABLE orders (id serial, line integer, note varchar(20) DEFAULT 'none', at timestamptz NOT NULL, PRIMARY KEY (line, id));
         CREATE VIEW open_orders AS SELECT id FROM orders; CREATE TABLE bare (); CREATE SCHEMA other; CREATE TABLE other.order_x (n integer);",
    );
    let all = database.sql().schema(&SchemaFilter::default()).await.unwrap();
    let names: Vec<&str> = all.tables.iter().map(|table| &*table.name).collect();
    assert_eq!(names, ["bare", "open_orders", "orders"]);
    assert_eq!((all.tables[1].kind, all.tables[2].kind), (TableKind::View, TableKind::Table));
    let columns: Vec<_> = all.tables[2]
        .columns
        .iter()
        .map(|column| {
            (&*column.name, &*column.type_name, column.nullable, column.default.as_deref(), column.primary_key)
        })
        .collect();
    assert_eq!(
        columns,
        [
            ("id", "integer", false, Some("nextval('orders_id_seq'::regclass)"), Some(2)),
            ("line", "integer", false, None, Some(1)),
            ("note", "character varying(20)", true, Some("'none'::character varying"), None),
            ("at", "timestamp with time zone", false, None, None),
        ]
    );
    for (schema, table, tables_only, wanted) in [
        (None, Some("o%"), false, vec!["open_orders", "orders"]),
        (None, Some("o%"), true, vec!["orders"]),
        (None, Some("b_re"), false, vec!["bare"]),
        (Some("other"), None, false, vec!["order_x"]),
        (Some("nowhere"), None, false, vec![]),
    ] {
        let filter = SchemaFilter { schema: schema.map(str::to_owned), table: table.map(str::to_owned), tables_only };
        let found = database.sql().schema(&filter).await.unwrap();
        let names: Vec<&str> = found.tables.iter().map(|table| &*table.name).collect();
        assert_eq!(names, wanted, "{filter:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_have_sizes_and_indexes() {
    let database = new_database();
    database.psql(
        "CREATE TABLE orders (id integer PRIMARY KEY, name text); CREATE INDEX by_name ON orders (lower(name), id DESC) INCLUDE (name);
         INSERT INTO orders SELECT g, 'name ' || g FROM generate_series(1, 1000) g; CREATE TABLE bare (n integer)",
    );
    database.psql("VACUUM ANALYZE orders");
    let all = database.sql().physical_schema(&SchemaFilter::default()).await.unwrap();
    let [bare, orders] = &all.tables[..] else { panic!("{all:?}") };
    assert_eq!((&*bare.name, bare.rows, bare.indexes.len()), ("bare", None, 0));
    assert_eq!((orders.rows, orders.schema.as_deref()), (Some(1000), Some("public")));
    assert!(orders.bytes.unwrap() >= 8192 && orders.index_bytes.unwrap() >= 16384);
    let indexes: Vec<_> =
        orders.indexes.iter().map(|index| (&*index.name, index.unique, index.columns.join(" "))).collect();
    assert_eq!(indexes, [("by_name", false, "lower(name) id".to_owned()), ("orders_pkey", true, "id".to_owned())]);
}
