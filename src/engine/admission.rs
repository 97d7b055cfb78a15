use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many requests are in the service at a time: `running` at work and `queued` more that are being read, or wait for
/// their session or for a place to run. A request is let in before its body is read, and what comes beyond is refused at once:
/// a flood costs the answer of a refusal and no more, and the bodies in memory are never more than there are places.
///
/// ```
/// use rejoin::engine::Admission;
///
/// let admission = Admission::new(1, 0);
/// let first = admission.enter();
/// assert!(first.is_ok());
/// assert!(admission.enter().is_err());
/// assert_eq!(admission.counts().waiting, 1);
/// drop(first);
/// assert!(admission.enter().is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct Admission {
    present: Arc<Semaphore>,
    running: Arc<Semaphore>,
    bounds: AdmissionCounts,
}

/// How many requests are in the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmissionCounts {
    /// At work.
    pub running: u64,
    /// Being read, or waiting for a session or a place to run.
    pub waiting: u64,
}

/// Every place is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the service has as many requests as it takes: try again later")]
pub struct AdmissionError;

/// A request that was let in. Dropping it makes room for another.
#[derive(Debug)]
pub struct Admitted {
    _present: OwnedSemaphorePermit,
    running: Arc<Semaphore>,
}

impl Admission {
    /// Bounds of `running` requests at work and `queued` that wait.
    #[must_use]
    pub fn new(running: u32, queued: u32) -> Self {
        Self {
            present: Arc::new(Semaphore::new(running as usize + queued as usize)),
            running: Arc::new(Semaphore::new(running as usize)),
            bounds: AdmissionCounts { running: running.into(), waiting: queued.into() },
        }
    }

    /// Lets a request in.
    ///
    /// # Errors
    ///
    /// [`AdmissionError`] when every place is taken.
    pub fn enter(&self) -> Result<Admitted, AdmissionError> {
        let present = Arc::clone(&self.present).try_acquire_owned().map_err(|_| AdmissionError)?;
        Ok(Admitted { _present: present, running: Arc::clone(&self.running) })
    }

    /// How many requests are there now.
    #[must_use]
    pub fn counts(&self) -> AdmissionCounts {
        let free = |places: &Semaphore| places.available_permits() as u64;
        let running = self.bounds.running.saturating_sub(free(&self.running));
        let present = (self.bounds.running + self.bounds.waiting).saturating_sub(free(&self.present));
        AdmissionCounts { running, waiting: present.saturating_sub(running) }
    }
}

impl Admitted {
    /// Waits for a place to run, first come first served. The permit is held for as long as the request runs.
    ///
    /// # Errors
    ///
    /// [`AdmissionError`] when the service is closing.
    pub async fn start(&self) -> Result<OwnedSemaphorePermit, AdmissionError> {
        Arc::clone(&self.running).acquire_owned().await.map_err(|_| AdmissionError)
    }
}
