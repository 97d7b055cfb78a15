use super::Condition;

/// When to stop, beside the session key and the pages.
#[derive(Debug, Clone)]
pub struct StopSettings {
    /// `rejoin.stop.when`: conditions of which each one alone ends the ingestion well, tried in this order.
    pub when: Vec<Condition>,
    /// `rejoin.fail.when`: conditions of which each one alone fails it.
    pub fail_when: Vec<Condition>,
    /// `rejoin.pages.max`: the most requests for pages; one more is a failure.
    pub pages: Option<u64>,
    /// `rejoin.loop.guard`: how many times in a row the same cursor or the same page may come before that is a failure; 0: for ever.
    pub loop_guard: u32,
    /// `rejoin.on.timeout`: what it means that the time is over.
    pub on_timeout: OnTimeout,
    /// `ms.work.unit.min.records`: fewer records are a failure.
    pub least_records: u64,
}

/// What it means that the time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnTimeout {
    /// The ingestion fails.
    #[default]
    Fail,
    /// It ends well with what came, and says so.
    Partial,
    /// It ends well: a later perform document goes on where it stopped.
    Continue,
}
