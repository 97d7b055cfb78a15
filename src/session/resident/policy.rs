//! What the configuration says, as one session took it at its creation.

use std::sync::Arc;
use std::time::Duration;

use crate::document::SessionConfiguration;
use crate::session::{AttributeRules, Moment, StaticAttributes};

/// How long a holder past its limit is left alone before another request may take the session from it: the time to notice
/// that it is cancelled and to clean up.
pub(super) const EVICTION_GRACE: Duration = Duration::from_secs(1);

/// Settings and static attributes. A changed configuration makes a new one, for the sessions created from then on.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) settings: SessionConfiguration,
    pub(super) rules: Arc<AttributeRules>,
}

impl Policy {
    pub(super) fn new(settings: SessionConfiguration, statics: StaticAttributes) -> Self {
        let rules = Arc::new(AttributeRules::new(statics, &settings.limits));
        Self { settings, rules }
    }

    /// How long a request waits that wishes so.
    pub(super) fn wait(&self, wish: Option<Duration>) -> Duration {
        let join = &self.settings.join;
        wish.unwrap_or(join.wait).min(join.max_wait)
    }

    /// Until when a request may hold a session that it joins now.
    pub(super) fn execution_limit(&self, now: Moment) -> Moment {
        crate::session::lifetime::after(now, self.settings.join.execution)
    }
}
