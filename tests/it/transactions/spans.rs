//! What a transaction is while it goes on.

use super::{Bank, in_order, manage, query, update};

const TAKE: &str = "UPDATE account SET amount = amount - 30 WHERE id = 1";
const GIVE: &str = "UPDATE account SET amount = amount + 30 WHERE id = 2";

#[tokio::test]
async fn a_transaction_in_three_requests_holds_after_its_commit() {
    for bank in Bank::all().await {
        let session = bank.begin().await;
        bank.within(&session, &update("take", TAKE)).await.is_completed();
        bank.within(&session, &update("give", GIVE)).await.is_completed();
        assert_eq!(bank.amounts(Some(&session)).await, "1,70;2,130;");
        assert_eq!(bank.amounts(None).await, "1,100;2,100;", "nobody else sees it before");
        bank.within(&session, &manage("<commit/>")).await.is_completed().says("<transaction state=\"committed\" id=\"");
        assert_eq!(bank.amounts(None).await, "1,70;2,130;");
        // Afterwards each statement is for itself again.
        bank.within(&session, &update("take", TAKE)).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,40;2,130;");
    }
}

#[tokio::test]
async fn a_rollback_takes_everything_back() {
    for bank in Bank::all().await {
        let session = bank.begin().await;
        bank.within(&session, &update("take", TAKE)).await.is_completed();
        bank.within(&session, &manage("<rollback/>")).await.is_completed().says("state=\"rolledBack\"");
        assert_eq!(bank.amounts(None).await, "1,100;2,100;");
        bank.within(&session, &manage("<rollback/>")).await.is_fault(422, "ActivityFailed").says("begin one first");
    }
}

#[tokio::test]
async fn another_session_is_not_part_of_it() {
    for bank in Bank::all().await {
        let (one, other) = (bank.begin().await, bank.context.create().await);
        bank.within(&one, &update("take", TAKE)).await.is_completed();
        bank.within(&other, &manage("<commit/>")).await.is_fault(422, "ActivityFailed").says("no transaction");
        assert_eq!(bank.amounts(Some(&other)).await, "1,100;2,100;");
        let reader = format!("<session id=\"{one}\" access=\"read\"/>{}", query("see", "SELECT amount FROM account"));
        bank.context.perform(&reader).await.is_completed().says("100\n100").says("COMPLETED");
        bank.within(&one, &manage("<commit/>")).await.is_completed();
        assert_eq!(bank.amounts(Some(&other)).await, "1,70;2,100;");
    }
}

#[tokio::test]
async fn savepoints_take_back_a_part() {
    for bank in Bank::all().await {
        let session = bank.begin().await;
        let steps = [
            update("take", TAKE),
            manage("<savepoint name=\"before\"/>"),
            update("give", GIVE),
            manage("<rollbackTo name=\"before\"/>"),
        ];
        bank.within(&session, &in_order(&steps)).await.is_completed();
        assert_eq!(bank.amounts(Some(&session)).await, "1,70;2,100;");
        bank.within(&session, &update("give", GIVE)).await.is_completed();
        let release = manage("<releaseSavepoint name=\"before\"/>");
        bank.within(&session, &release).await.is_completed();
        bank.within(&session, &release).await.is_fault(422, "ActivityFailed").says("no savepoint `before`");
        bank.within(&session, &manage("<commit/>")).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,70;2,130;");
    }
}

#[tokio::test]
async fn a_statement_that_fails_takes_back_itself_alone() {
    for bank in Bank::all().await {
        let session = bank.begin().await;
        bank.within(&session, &update("take", TAKE)).await.is_completed();
        // The second row is one too many; the first must not stay.
        let insert = update("more", "INSERT INTO account VALUES (3, 5), (1, 5)");
        bank.within(&session, &insert).await.is_fault(422, "ActivityFailed");
        bank.within(&session, &query("wrong", "SELECT nothing FROM nowhere")).await.is_fault(422, "ActivityFailed");
        assert_eq!(bank.amounts(Some(&session)).await, "1,70;2,100;");
        bank.within(&session, &manage("<commit/>")).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,70;2,100;");
    }
}

#[tokio::test]
async fn a_query_writes_nothing_in_a_transaction_either() {
    for bank in Bank::all().await {
        let session = bank.begin().await;
        let sneaky = query("sneaky", "DELETE FROM account");
        bank.within(&session, &sneaky).await.is_fault(422, "ActivityFailed");
        bank.within(&session, &manage("<commit/>")).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,100;2,100;");
    }
}

#[tokio::test]
async fn one_that_only_reads_refuses_updates() {
    for bank in Bank::all().await {
        let session = bank.context.create().await;
        let begin = manage("<begin isolation=\"repeatableRead\" readOnly=\"true\"/>");
        let says = "<transaction state=\"active\" isolation=\"repeatableRead\" readOnly=\"true\" id=\"";
        bank.within(&session, &begin).await.is_completed().says(says);
        assert_eq!(bank.amounts(Some(&session)).await, "1,100;2,100;");
        bank.context.perform(&update("other", TAKE)).await.is_completed();
        bank.within(&session, &update("take", TAKE)).await.is_fault(422, "ActivityFailed").says("read");
        assert_eq!(bank.amounts(Some(&session)).await, "1,100;2,100;", "what was read once stays as it was");
        bank.within(&session, &manage("<commit/>")).await.is_completed();
        assert_eq!(bank.amounts(Some(&session)).await, "1,70;2,100;");
    }
}

#[tokio::test]
async fn statements_of_one_transaction_feed_each_other() {
    for bank in Bank::all().await {
        let session = bank.begin().await;
        let fed = format!(
            "<sqlQueryStatement name=\"ids\"><expression>SELECT id FROM account</expression><resultStream name=\"rows\"/></sqlQueryStatement>
             <resultsetProjection name=\"p\"><resultsetInput from=\"rows\"/><attributeName>id</attributeName><attributeValuesOutput name=\"id\"/></resultsetProjection>
             <sqlUpdateStatement name=\"u\"><sqlParameter position=\"1\" from=\"id\"/>
               <expression>UPDATE account SET amount = 1 WHERE id = ?</expression><resultStream name=\"count\"/></sqlUpdateStatement>{}",
            ""
        );
        bank.within(&session, &fed).await.is_completed().says("<updateCount>2</updateCount>");
        bank.within(&session, &manage("<rollback/>")).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,100;2,100;");
    }
}

#[tokio::test]
async fn an_implicit_session_may_hold_a_whole_transaction() {
    for bank in Bank::all().await {
        let whole = |end: &str| in_order(&[manage("<begin/>"), update("take", TAKE), manage(end)]);
        bank.context.perform(&whole("<rollback/>")).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,100;2,100;");
        bank.context.perform(&whole("<commit/>")).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,70;2,100;");
        // Without an end it is rolled back with its session.
        bank.context.perform(&in_order(&[manage("<begin/>"), update("take", TAKE)])).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,70;2,100;");
    }
}

#[tokio::test]
async fn a_session_has_one_at_a_time() {
    for bank in Bank::all().await {
        let session = bank.begin().await;
        bank.within(&session, &manage("<begin/>"))
            .await
            .is_fault(422, "ActivityFailed")
            .says("commit it or roll it back");
        let reader = format!("<session id=\"{session}\" access=\"read\"/>{}", manage("<begin/>"));
        bank.context.perform(&reader).await.is_fault(422, "ActivityFailed").says("read access");
    }
}
