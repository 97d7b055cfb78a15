//! Futures that are looked at by hand.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Remembers that it was woken.
#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A future that is looked at only when somebody rang for it.
pub(super) struct Task<F> {
    future: Pin<Box<F>>,
    bell: Arc<Bell>,
}

impl<F: Future> Task<F> {
    pub(super) fn new(future: F) -> Self {
        Self { future: Box::pin(future), bell: Arc::new(Bell(AtomicBool::new(true))) }
    }

    /// Whether somebody rang since it was looked at.
    pub(super) fn is_rung(&self) -> bool {
        self.bell.0.load(Ordering::SeqCst)
    }

    /// Looks at it as long as somebody rings: its output, if it has come to its end.
    pub(super) fn look(&mut self) -> Option<F::Output> {
        while self.bell.0.swap(false, Ordering::SeqCst) {
            let waker = Waker::from(Arc::clone(&self.bell));
            if let Poll::Ready(output) = self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Some(output);
            }
        }
        None
    }
}

/// Waits for what another thread does.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let mut task = Task::new(future);
    loop {
        if let Some(output) = task.look() {
            return output;
        }
        std::thread::yield_now();
    }
}
