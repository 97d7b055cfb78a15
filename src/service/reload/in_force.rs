use std::sync::Arc;

use parking_lot::RwLock;

use super::ConfigurationProblem;
use crate::service::carrier::Carrier;

/// What a session configuration says to the service, beside what it says to the session manager.
#[derive(Debug)]
pub(in crate::service) struct SessionInForce {
    carrier: RwLock<Arc<Carrier>>,
    problems: RwLock<Arc<[ConfigurationProblem]>>,
}

impl SessionInForce {
    pub(in crate::service) fn new(carrier: Carrier) -> Arc<Self> {
        Arc::new(Self { carrier: RwLock::new(Arc::new(carrier)), problems: RwLock::default() })
    }

    /// How requests carry session ids from now on. A request asks once, so that it sees one configuration.
    pub(in crate::service) fn carrier(&self) -> Arc<Carrier> {
        Arc::clone(&self.carrier.read())
    }

    /// Why the document as it stands is not in force; none where it is.
    pub(in crate::service) fn problems(&self) -> Arc<[ConfigurationProblem]> {
        Arc::clone(&self.problems.read())
    }

    pub(super) fn take(&self, carrier: Carrier) {
        *self.carrier.write() = Arc::new(carrier);
    }

    pub(super) fn show(&self, problems: Vec<ConfigurationProblem>) {
        *self.problems.write() = problems.into();
    }
}
