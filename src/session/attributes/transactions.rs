//! What a request has to do with transactions, beside the attributes that it changes.

use std::sync::Arc;

use uuid::Uuid;

use super::SessionAttributes;
use crate::session::{Transaction, TransactionReport};

/// What a request has to do with transactions.
#[derive(Default)]
pub(super) struct Transactions {
    /// Those that it was to end.
    settled: Vec<Arc<Transaction>>,
    /// The id of the one that it begins next, if that is known before.
    foreseen: Option<Uuid>,
}

impl SessionAttributes {
    /// Notes that the request is to commit a transaction or to roll it back: what becomes of that holds, whatever becomes of the
    /// request.
    pub(in crate::session) fn settles(&self, transaction: &Arc<Transaction>) {
        self.transactions().settled.push(Arc::clone(transaction));
    }

    /// The transactions that the request has committed or rolled back, or has begun to: it can't take that back. What was not done
    /// as it was asked for, the activity that asked has told.
    #[must_use]
    pub fn settled(&self) -> Vec<TransactionReport> {
        let transactions = self.transactions();
        let settled = transactions.settled.iter();
        settled.filter(|transaction| transaction.is_as_asked()).map(|transaction| transaction.report()).collect()
    }

    /// The next transaction that the request begins has that id.
    pub(in crate::session) fn foresees(&self, id: Uuid) {
        self.transactions().foreseen = Some(id);
    }

    /// The id of the transaction that the request begins now, if it is known. It is that of no other.
    pub(in crate::session) fn foreseen(&self) -> Option<Uuid> {
        self.transactions().foreseen.take()
    }
}
