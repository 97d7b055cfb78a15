//! The transient manager passes through the behaviours of every manager, and has some of its own.

use std::sync::Arc;

use super::TransientSessionManager;
use crate::session::SessionManager;
use crate::session::conformance::{Setup, session_manager_conforms};

fn make(setup: Setup) -> Arc<dyn SessionManager> {
    let mut builder = TransientSessionManager::builder(setup.settings)
        .statics(setup.statics)
        .clock(Arc::new(setup.clock))
        .ids(setup.ids);
    for listener in setup.listeners {
        builder = builder.listener(listener);
    }
    Arc::new(builder.build())
}

session_manager_conforms!(make);
