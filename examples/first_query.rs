//! The shortest program that does the job right: a query, its rows as structs.
//!
//! Run it with `cargo run --example first_query`. It asks a service that it starts itself; with
//! `DataService::connect("http://127.0.0.1:8080", "demo")` it asks `rejoin demo`.

use std::error::Error;

use rejoin::client::DataService;
use rejoin::service::{ConfiguredResource, Server};
use serde::Deserialize;

#[derive(Deserialize)]
struct Customer {
    id: i64,
    name: String,
    phone: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let resource = ConfiguredResource::new("shop", ".").data_resource("sqlite::memory:");
    let server = Server::builder().listen("127.0.0.1:0").resource(resource).build()?.start().await?;

    let service = DataService::connect(&server.url(), "shop").await?;
    service.update("CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, town TEXT, phone TEXT)").run().await?;
    service
        .update("INSERT INTO customer VALUES (1, 'Ada', 'Oban', '0131'), (2, 'Björn', 'Oban', NULL), (3, 'Chloe', 'Ayr', '')")
        .run()
        .await?;

    let query = service.query("SELECT id, name, phone FROM customer WHERE town = ? ORDER BY id").parameter("Oban");
    let customers: Vec<Customer> = query.all().await?;
    for Customer { id, name, phone } in customers {
        println!("{id} {name}: {}", phone.as_deref().unwrap_or("no phone"));
    }

    server.shutdown().await;
    Ok(())
}
