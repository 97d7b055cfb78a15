//! Connections of the pool that died without a word.

use super::Kind;
use super::forgetful_proxy::ForgetfulProxy;
use super::stage::{Options, Stage, data_resource, query, update};

in_every_database!(;
    servers: a_connection_that_died_unheard_is_replaced_whatever_it_is_for,
);

/// A service that reaches its database through a proxy.
async fn behind_a_proxy(kind: Kind) -> (Stage, ForgetfulProxy) {
    let mut proxy = None;
    let stage = Stage::with(kind, |database, options: &mut Options| {
        let (before, uri) = ForgetfulProxy::before(&database.uri());
        proxy = Some(before);
        options.resources.push(data_resource("", &uri, ""));
    });
    (stage.await, proxy.unwrap())
}

async fn a_connection_that_died_unheard_is_replaced_whatever_it_is_for(kind: Kind) {
    let (stage, proxy) = behind_a_proxy(kind).await;
    let session = stage.session().await;
    stage.database.run(kind.pick(
        "",
        "CREATE PROCEDURE nothing() LANGUAGE sql AS ''",
        "CREATE PROCEDURE nothing() BEGIN END",
    ));
    let load = "<sqlQueryStatement name=\"q\"><expression>SELECT 9 AS id, 'x' AS name</expression><resultStream name=\"r\"/>\
                </sqlQueryStatement>\
                <sqlBulkLoadRowSet name=\"load\"><rows from=\"r\"/><loadIntoTable tableName=\"person\"/></sqlBulkLoadRowSet>";
    let look = |kind: &str| format!("<extract{kind} name=\"look\"><output name=\"document\"/></extract{kind}>");
    let requests = [
        query("SELECT count(*) FROM person"),
        update("u", "INSERT INTO person (id, name) VALUES (5, 'x')"),
        // Its transaction begins on a connection with its first statement.
        update("u", "DELETE FROM person WHERE id = 5"),
        look("DatabaseSchema"),
        look("PhysicalSchema"),
        "<sqlStoredProcedure name=\"call\"><procedure name=\"nothing\"/><outputParameters name=\"answer\"/>\
         </sqlStoredProcedure>"
            .to_owned(),
        "<openCursor name=\"rows\"><expression>SELECT id FROM person</expression></openCursor>".to_owned(),
        load.to_owned(),
    ];
    let pause = query(kind.pick("", "SELECT pg_sleep(0.05)", "SELECT sleep(0.05)"));
    let several_are_idle = async || tokio::join!(stage.perform(&pause), stage.perform(&pause), stage.perform(&pause));
    for request in requests {
        let is_in_transaction = request.contains("DELETE");
        if is_in_transaction {
            session.transaction("<begin/>").await;
        }
        several_are_idle().await;
        proxy.forget();
        session.perform(&request).await.is_completed();
        if is_in_transaction {
            session.transaction("<commit/>").await;
        }
    }
    assert_eq!(stage.people(), "1 2 3 4 9");
    several_are_idle().await;
    proxy.forget();
    let health = format!("{}/health/ready", stage.context.server.url());
    assert_eq!(stage.context.client.get(&health).send().await.unwrap().status(), 200);
}
