//! Requests that are sent again: behaviours 57 and 58.

mod answers;
mod connections;
mod durable;
mod keys;
mod orphans;
mod room;
mod secrecy;
mod sequences;

use reqwest::RequestBuilder;

use crate::context::{Context, Reply};

/// A key that nobody guesses.
const KEY: &str = "8e03978e-40d5-43e8-bc93-6894a57f9324";

/// Counts the visits of a session up, and answers with how many there were.
const VISIT: &str = "<sessionAttributeManagement name=\"visit\"><incrementAttribute name=\"visits\"/><output name=\"n\"/>\
                     </sessionAttributeManagement>";

/// The same in a session that exists.
fn visit(id: &str) -> String {
    format!("<session id=\"{id}\"/>{VISIT}")
}

/// How many visits a session has had: the number that the next one gives, less one.
async fn visits(context: &Context, id: &str) -> u64 {
    let reply = context.raw(&visit(id), "n").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let (_, number) = reply.text.split_once('>').expect("an attribute");
    number.split('<').next().unwrap().parse::<u64>().unwrap() - 1
}

async fn send(request: RequestBuilder) -> Reply {
    Reply::of(request.send().await.unwrap()).await
}

async fn keyed(context: &Context, content: &str, key: &str) -> Reply {
    send(context.post(content).header("idempotency-key", key)).await
}

impl Reply {
    fn is_replayed(&self) -> bool {
        self.header("rejoin-replayed") == "true"
    }

    /// Checks that this is `first` told again.
    #[track_caller]
    fn replays(&self, first: &Self) {
        assert!(self.is_replayed(), "{self:?}");
        assert!(!first.is_replayed(), "{first:?}");
        assert_eq!((self.status, &self.text), (first.status, &first.text));
        assert_eq!(self.header("content-type"), first.header("content-type"));
    }
}
