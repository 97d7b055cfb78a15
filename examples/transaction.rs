//! A transaction as a closure: all of its work holds, or nothing.
//!
//! When others get in its way, the database takes all of it back, and the work is done again. When the answer to the commit is lost,
//! the request is sent again with its key, and the service tells what became of it.
//!
//! Run it with `cargo run --example transaction`.

use std::error::Error;
use std::time::Duration;

use rejoin::client::{self, DataService, Session};
use rejoin::service::{ConfiguredResource, Server};

/// Why a transfer is not made.
#[derive(Debug, thiserror::Error)]
enum TransferError {
    #[error("{0} would be missing")]
    TooLittle(f64),
    #[error(transparent)]
    Service(#[from] client::Error),
}

/// Moves money from one account to another.
async fn transfer(session: &Session, from: i64, to: i64, amount: f64) -> Result<(), TransferError> {
    session
        .transaction(async |transaction| {
            let take = "UPDATE account SET credit = credit - ? WHERE id = ?";
            transaction.update(take).parameter(amount).parameter(from).run().await?;
            let left: f64 = transaction.query("SELECT credit FROM account WHERE id = ?").parameter(from).one().await?;
            if left < 0.0 {
                // What was taken is given back.
                return Err(TransferError::TooLittle(-left));
            }
            let give = "UPDATE account SET credit = credit + ? WHERE id = ?";
            transaction.update(give).parameter(amount).parameter(to).run().await?;
            Ok(())
        })
        .await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let resource = ConfiguredResource::new("bank", folder.path()).data_resource("sqlite:bank.db?mode=rwc");
    let server = Server::builder().listen("127.0.0.1:0").resource(resource).build()?.start().await?;
    let service = DataService::connect(&server.url(), "bank").await?;
    service.update("CREATE TABLE account (id INTEGER PRIMARY KEY, credit REAL NOT NULL)").run().await?;
    service.update("INSERT INTO account VALUES (7, 100), (42, 0)").run().await?;

    // A transaction holds locks: a session for it has a short time-out, for the case that this program dies.
    let session = service.session().timeout(Duration::from_secs(30)).await?;
    for amount in [60.0, 60.0] {
        match transfer(&session, 7, 42, amount).await {
            Ok(()) => println!("{amount} moved"),
            Err(TransferError::TooLittle(missing)) => println!("{amount} not moved: {missing} would be missing"),
            Err(error) => return Err(error.into()),
        }
        let credits: Vec<(i64, f64)> = service.query("SELECT id, credit FROM account ORDER BY id").all().await?;
        println!("  now {credits:?}");
    }
    session.end().await?;

    server.shutdown().await;
    Ok(())
}
