//! What both managers show of what they share.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::BoxFuture;

use super::policy::Policy;
use super::shared::Shared;
use super::sweep;
use crate::document::SessionConfiguration;
use crate::session::{Joining, Participant, Principal, SessionRequirement, StaticAttributes, TransactionManager};

impl Shared {
    pub(in crate::session) fn join_told(
        self: &Arc<Self>,
        requirement: SessionRequirement,
        who: &Participant,
    ) -> Joining {
        self.telling_denials(self.join(requirement, who), who)
    }

    /// What begins and ends transactions.
    pub(in crate::session) fn transactions(&self) -> Option<Arc<TransactionManager>> {
        let policy = self.policy();
        policy.rules.statics.iter().find_map(|(_, value)| Arc::clone(value).downcast())
    }

    pub(in crate::session) fn reconfigure(&self, settings: SessionConfiguration, statics: StaticAttributes) {
        self.explicit.store(settings.explicit, Ordering::Relaxed);
        self.replays.reconfigure(settings.replay);
        let policy = Arc::new(Policy::new(settings, statics));
        let old = std::mem::replace(&mut *self.policy.write(), policy);
        // Not under the lock: what nobody uses any more is closed now, by code of others.
        drop(old);
        self.reconfigured.notify_one();
    }

    pub(in crate::session) fn owners(&self) -> Vec<Principal> {
        self.quotas.owners()
    }

    pub(in crate::session) fn maintenance(self: &Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(sweep::maintain(Arc::downgrade(self), Arc::clone(&self.clock)))
    }
}

/// Makes a session manager of a type that has a `shared: Arc<Shared>`.
macro_rules! manages_sessions {
    ($manager:ty) => {
        #[async_trait::async_trait]
        impl $crate::session::SessionManager for $manager {
            fn join(
                &self,
                requirement: $crate::session::SessionRequirement,
                who: &$crate::session::Participant,
            ) -> $crate::session::Joining {
                self.shared.join_told(requirement, who)
            }

            fn recall(
                &self,
                asked: $crate::session::Asked,
                who: &$crate::session::Principal,
            ) -> $crate::session::Answer<Result<$crate::session::Recalled, $crate::session::SessionError>> {
                self.shared.recall(asked, who)
            }

            async fn describe(
                &self,
                id: &$crate::session::SessionId,
                who: &$crate::session::Principal,
            ) -> Result<$crate::session::SessionDescription, $crate::session::SessionError> {
                self.shared.describe(id, who).await
            }

            async fn inspect(
                &self,
                session: $crate::session::SessionHandle,
            ) -> Result<$crate::session::SessionDescription, $crate::session::SessionError> {
                self.shared.inspect(session).await
            }

            async fn streams(
                &self,
                id: &$crate::session::SessionId,
                who: &$crate::session::Principal,
            ) -> Result<std::sync::Arc<$crate::session::SessionStreams>, $crate::session::SessionError> {
                self.shared.streams(id, who).await
            }

            async fn interrupt(
                &self,
                id: &$crate::session::SessionId,
                who: &$crate::session::Principal,
            ) -> Result<bool, $crate::session::SessionError> {
                self.shared.interrupt(id, who).await
            }

            async fn list(
                &self,
                filter: &$crate::session::SessionFilter,
            ) -> Result<Vec<$crate::session::SessionStatus>, $crate::session::SessionError> {
                self.shared.list(filter).await
            }

            async fn end(
                &self,
                session: $crate::session::SessionHandle,
                reason: $crate::session::EndReason,
            ) -> Result<$crate::session::EndProgress, $crate::session::SessionError> {
                self.shared.end(session, reason).await
            }

            async fn drain(&self) {
                self.shared.drain().await;
            }

            fn transactions(&self) -> Option<std::sync::Arc<$crate::session::TransactionManager>> {
                self.shared.transactions()
            }

            fn reconfigure(
                &self,
                settings: $crate::document::SessionConfiguration,
                statics: $crate::session::StaticAttributes,
            ) {
                self.shared.reconfigure(settings, statics);
            }

            fn statistics(&self) -> $crate::session::SessionStatistics {
                self.shared.statistics()
            }

            fn owners(&self) -> Vec<$crate::session::Principal> {
                self.shared.owners()
            }

            fn maintenance(&self) -> futures_util::future::BoxFuture<'static, ()> {
                self.shared.maintenance()
            }
        }
    };
}

pub(in crate::session) use manages_sessions;
