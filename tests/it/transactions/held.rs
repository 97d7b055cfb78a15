//! What is alive in a session is ended by its own activities alone: no other takes its place under its name.

use super::{Bank, manage, update};

const TAKE: &str = "UPDATE account SET amount = amount - 30 WHERE id = 1";

/// Everything that a client can do with the attribute of a name, but to read it.
fn changes(name: &str) -> Vec<String> {
    let manage = |operation: String| {
        format!("<sessionAttributeManagement name=\"change\">{operation}</sessionAttributeManagement>")
    };
    let deliver = |mode: &str| {
        format!(
            "<echo name=\"say\"><text>x</text><output name=\"said\"/></echo><deliverToSession name=\"change\">\
             <fromLocal from=\"said\"/><toSession attribute=\"{name}\" mode=\"{mode}\"/></deliverToSession>"
        )
    };
    vec![
        manage(format!("<setAttribute name=\"{name}\">mine</setAttribute>")),
        manage(format!("<incrementAttribute name=\"{name}\"/>")),
        manage(format!("<removeAttribute name=\"{name}\"/>")),
        deliver("replace"),
        deliver("append"),
    ]
}

#[tokio::test]
async fn nothing_takes_the_place_of_a_transaction() {
    for bank in Bank::all().await {
        let session = bank.begin().await;
        bank.within(&session, &update("take", TAKE)).await.is_completed();
        for change in changes("transactionManager.transaction") {
            let reply = bank.within(&session, &change).await;
            reply.is_fault(409, "AttributeReadOnly").says("is a transaction, which only `transactionManagement` ends");
        }
        // It goes on, and statements are part of it.
        bank.within(&session, &update("again", TAKE)).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,100;2,100;");
        bank.within(&session, &manage("<rollback/>")).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,100;2,100;");
    }
}

#[tokio::test]
async fn nothing_takes_the_place_of_a_cursor() {
    for bank in Bank::all().await {
        let session = bank.context.create().await;
        let open =
            "<openCursor name=\"people\"><expression>SELECT id FROM account ORDER BY id</expression></openCursor>";
        bank.within(&session, open).await.is_completed();
        for change in changes("people") {
            let reply = bank.within(&session, &change).await;
            reply.is_fault(409, "AttributeReadOnly").says("is a cursor, which only `closeCursor` ends");
        }
        let fetch =
            "<fetchCursor name=\"f\"><cursor name=\"people\" rows=\"1\"/><resultStream name=\"f-rows\"/></fetchCursor>";
        bank.within(&session, &format!("{fetch}{}", super::bank::as_csv("f"))).await.is_completed().says("CDATA[1");
        let close = "<closeCursor name=\"close\"><cursor name=\"people\"/></closeCursor>";
        bank.within(&session, close).await.is_completed();
        // The name is free.
        bank.within(&session, &changes("people")[0]).await.is_completed();
    }
}
