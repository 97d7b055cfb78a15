//! The toolkit against a real server.

mod breaking_proxy;
mod codes;
mod connections;
mod examples;
mod left_alone;
mod lost_answers;
mod queries;
mod reaching;
mod requests;
mod sessions;
mod strangers;

use rejoin::client::{DataService, Error};
use rejoin::service::RunningServer;

use crate::context::Context;

/// The service of a context, as a program reaches it.
async fn service(context: &Context) -> DataService {
    reach(&context.server).await
}

async fn reach(server: &RunningServer) -> DataService {
    DataService::connect(&server.url(), "data").await.unwrap()
}

/// The code of an error that the service gave.
#[track_caller]
fn code<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    let error = outcome.expect_err("it should be refused");
    error.code().unwrap_or_else(|| panic!("{error:?}")).to_string()
}
