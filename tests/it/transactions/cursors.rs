//! Cursors that span requests.

use super::bank::as_csv;
use super::{Bank, in_order, manage, update};

/// The numbers from 1 to 2500.
const MANY: &str = "<openCursor name=\"people\"><expression>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                    WHERE i &lt; 50) SELECT (a.i - 1) * 50 + b.i AS number FROM n a, n b ORDER BY 1</expression></openCursor>";

fn fetch(rows: u64) -> String {
    let fetch = format!(
        "<fetchCursor name=\"page\"><cursor name=\"people\" rows=\"{rows}\"/><resultStream name=\"page-rows\"/></fetchCursor>"
    );
    fetch + &as_csv("page")
}

impl Bank {
    /// The rows of a page, without ends of lines.
    async fn page(&self, session: &str, rows: u64) -> Vec<String> {
        let reply = self.context.raw(&format!("<session id=\"{session}\"/>{}", fetch(rows)), "page-csv").await;
        assert_eq!(reply.status, 200, "{}: {}", self.kind, reply.text);
        reply.text.lines().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn a_result_is_read_page_by_page_by_later_requests() {
    for bank in Bank::all().await {
        let session = bank.context.create().await;
        bank.within(&session, MANY).await.is_completed();
        assert_eq!(bank.page(&session, 2).await, ["1", "2"]);
        let second = bank.page(&session, 1500).await;
        assert_eq!((second.len(), &*second[0], &*second[1499]), (1500, "3", "1502"));
        // Fewer than asked: the end.
        assert_eq!(bank.page(&session, 5000).await.len(), 998);
        bank.within(&session, &fetch(1)).await.is_fault(422, "ActivityFailed").says("no cursor `people`");
        bank.within(&session, MANY).await.is_completed();
    }
}

#[tokio::test]
async fn an_empty_result_has_columns_and_ends() {
    for bank in Bank::all().await {
        let session = bank.context.create().await;
        let none = "<openCursor name=\"people\"><sqlParameter position=\"1\">77</sqlParameter>\
                    <expression>SELECT id, amount FROM account WHERE id = ?</expression></openCursor>";
        bank.within(&session, none).await.is_completed();
        let xml = "<fetchCursor name=\"page\"><cursor name=\"people\" rows=\"5\"/><resultStream name=\"rows\"/></fetchCursor>\
                   <sqlResultsToXML name=\"f\"><resultSet from=\"rows\"/><webRowSet name=\"table\"/></sqlResultsToXML>";
        bank.within(&session, xml).await.is_completed().says("<column-count>2</column-count>");
        bank.within(&session, xml).await.is_fault(422, "ActivityFailed").says("no cursor `people`");
    }
}

#[tokio::test]
async fn exactly_all_rows_and_then_none_is_the_end_too() {
    for bank in Bank::all().await {
        let session = bank.context.create().await;
        let two =
            "<openCursor name=\"people\"><expression>SELECT id FROM account ORDER BY id</expression></openCursor>";
        bank.within(&session, two).await.is_completed();
        assert_eq!(bank.page(&session, 2).await, ["1", "2"]);
        assert!(bank.page(&session, 2).await.is_empty());
        bank.within(&session, &fetch(2)).await.is_fault(422, "ActivityFailed").says("no cursor");
    }
}

#[tokio::test]
async fn a_cursor_is_closed_by_request_and_its_name_is_free_then() {
    for bank in Bank::all().await {
        let session = bank.context.create().await;
        bank.within(&session, MANY).await.is_completed();
        bank.within(&session, MANY).await.is_fault(422, "ActivityFailed").says("close the cursor");
        let close = "<closeCursor name=\"done\"><cursor name=\"people\"/></closeCursor>";
        bank.within(&session, close).await.is_completed();
        bank.within(&session, close).await.is_fault(422, "ActivityFailed").says("no cursor `people`");
        bank.within(&session, MANY).await.is_completed();
        let other = bank.context.create().await;
        bank.within(&other, &fetch(1)).await.is_fault(422, "ActivityFailed").says("no cursor");
    }
}

#[tokio::test]
async fn cursors_are_closed_with_their_sessions() {
    for bank in Bank::all().await {
        // More than one database lets be open at a time.
        for _ in 0..100 {
            let session = bank.context.create().await;
            bank.within(&session, MANY).await.is_completed();
            let ending = format!("<session id=\"{session}\" mode=\"terminate\"/>");
            bank.context.perform(&ending).await.is_completed();
        }
    }
}

#[tokio::test]
async fn in_a_transaction_a_cursor_sees_it_and_ends_with_it() {
    for bank in Bank::all().await {
        let session = bank.begin().await;
        bank.within(&session, &update("more", "INSERT INTO account VALUES (3, 7)")).await.is_completed();
        let open =
            "<openCursor name=\"people\"><expression>SELECT id FROM account ORDER BY id DESC</expression></openCursor>";
        bank.within(&session, open).await.is_completed();
        assert_eq!(bank.page(&session, 1).await, ["3"]);
        // Other statements go on beside it.
        bank.within(&session, &update("take", "UPDATE account SET amount = 1 WHERE id = 1")).await.is_completed();
        assert_eq!(bank.page(&session, 1).await, ["2"]);
        bank.within(&session, &manage("<commit/>")).await.is_completed();
        let late = bank.within(&session, &fetch(1)).await;
        late.is_fault(422, "ActivityFailed").says("its transaction is over");
        assert_eq!(bank.amounts(None).await, "1,1;2,100;3,7;");
    }
}

#[tokio::test]
async fn a_forward_cursor_does_not_jump() {
    let bank = Bank::embedded().await;
    let session = bank.context.create().await;
    let scrollable = MANY.replace("name=\"people\"", "name=\"people\" scrollable=\"true\"");
    bank.within(&session, &scrollable).await.is_fault(422, "ActivityFailed").says("forward only");
    bank.within(&session, MANY).await.is_completed();
    for place in ["absolute=\"7\"", "relative=\"-1\""] {
        let jump = fetch(1).replace("rows=\"1\"/>", &format!("rows=\"1\" {place}/>"));
        bank.within(&session, &jump).await.is_fault(422, "ActivityFailed").says("forward only");
    }
    assert_eq!(bank.page(&session, 1).await, ["1"], "it stays open");
    let both = fetch(1).replace("rows=\"1\"/>", "rows=\"1\" absolute=\"1\" relative=\"1\"/>");
    bank.within(&session, &both).await.is_fault(400, "DocumentInvalid").says("contradictory");
    let ordered = in_order(&[
        "<closeCursor name=\"c\"><cursor name=\"people\"/></closeCursor>".to_owned(),
        MANY.to_owned(),
        format!("<flow>{}</flow>", fetch(1)),
    ]);
    bank.within(&session, &ordered).await.is_completed().says("[1\n]");
}
