//! Transactions and cursors that span the requests of a session, in every database.

mod bank;
mod conflicts;
mod cursors;
mod database_kills;
mod ends;
mod failures;
mod held;
mod kills;
mod order;
mod outcome;
mod restarts;
mod spans;

use bank::{Bank, query, update};

/// `transactionManagement` with that inside, named after what it does.
fn manage(what: &str) -> String {
    let name = what.trim_start_matches('<').split([' ', '/', '>']).next().unwrap();
    format!("<transactionManagement name=\"{name}\">{what}<output name=\"{name}-state\"/></transactionManagement>")
}

fn join(id: &str) -> String {
    format!("<session id=\"{id}\"/>")
}

fn in_order(steps: &[String]) -> String {
    format!("<sequence>{}</sequence>", steps.concat())
}

/// The id in a `transaction` element of an answer.
fn transaction_id(answer: &str) -> String {
    let (_, rest) = answer.split_once("<transaction ").expect("a transaction");
    let (_, rest) = rest.split_once("id=\"").expect("an id");
    rest.split_once('"').unwrap().0.to_owned()
}
