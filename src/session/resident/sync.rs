//! The mutex of a session: `parking_lot`'s, or in the model of `interleavings` one that lets every order of events happen.

#[cfg(not(all(test, feature = "shuttle")))]
pub(super) use parking_lot::{Mutex, MutexGuard};

#[cfg(all(test, feature = "shuttle"))]
pub(super) use modelled::{Mutex, MutexGuard};

#[cfg(all(test, feature = "shuttle"))]
mod modelled {
    use std::sync::PoisonError;

    pub(in crate::session::resident) use shuttle::sync::MutexGuard;

    /// Each taking of it is a step, before which any other task may make its own.
    #[derive(Debug)]
    pub(in crate::session::resident) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(in crate::session::resident) fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(in crate::session::resident) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
