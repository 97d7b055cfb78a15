//! Procedures and functions that the database stores.

use super::Kind;
use super::granted::Stage;

#[tokio::test]
async fn a_database_without_procedures_says_so() {
    let stage = Stage::new(Kind::Sqlite).await;
    let call = "<sqlStoredProcedure name=\"call\"><procedure name=\"p\"/></sqlStoredProcedure>";
    stage.perform(call).await.is_fault(422, "ActivityFailed").says("SqlUnsupported");
}
