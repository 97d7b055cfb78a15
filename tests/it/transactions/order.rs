//! Where `transactionManagement` may stand in a document.

use super::{Bank, in_order, manage, update};

const TAKE: &str = "UPDATE account SET amount = amount - 30 WHERE id = 1";

#[tokio::test]
async fn beside_a_statement_it_is_refused_before_anything_runs() {
    let bank = Bank::embedded().await;
    let fetch = "<fetchCursor name=\"page\"><cursor name=\"people\" rows=\"1\"/></fetchCursor>".to_owned();
    for steps in [
        manage("<begin/>") + &update("take", TAKE),
        update("take", TAKE) + &manage("<commit/>"),
        manage("<begin/>") + &manage("<commit/>"),
        manage("<commit/>") + &fetch,
        format!(
            "<sequence>{}<flow>{}{}</flow></sequence>",
            manage("<begin/>"),
            update("take", TAKE),
            manage("<commit/>")
        ),
    ] {
        let refused = bank.context.perform(&steps).await;
        refused.is_fault(400, "StreamInvalid").says("run side by side").says("put them into a `sequence`");
    }
    assert_eq!(bank.amounts(None).await, "1,100;2,100;");
}

#[tokio::test]
async fn statements_between_a_begin_and_a_commit_may_run_side_by_side() {
    let bank = Bank::embedded().await;
    let both = format!(
        "<flow>{}{}</flow>",
        update("take", TAKE),
        update("give", "UPDATE account SET amount = 130 WHERE id = 2")
    );
    bank.context.perform(&in_order(&[manage("<begin/>"), both, manage("<commit/>")])).await.is_completed();
    assert_eq!(bank.amounts(None).await, "1,70;2,130;");
}

#[tokio::test]
async fn what_is_wrong_with_it_is_told_with_its_place() {
    let bank = Bank::embedded().await;
    for (what, says) in [
        ("<begin isolation=\"serialisable\"/>", "did you mean `serializable`"),
        ("<begin readOnly=\"maybe\"/>", "readOnly"),
        ("<savepoint/>", "name"),
        ("<savepoint name=\"\"/>", "name"),
        ("<comit/>", "commit"),
        ("<state id=\"seven\"/>", "the id of a transaction"),
        ("", "begin"),
    ] {
        let content = format!("<transactionManagement name=\"t\">{what}</transactionManagement>");
        let refused = bank.context.perform(&content).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        refused.says("line=\"2\"").says(says);
    }
}
