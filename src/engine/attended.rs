//! Work that whoever waits for it does himself.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;

/// Work that is done by whoever waits for it, and in a task of its own once nobody does: it always comes to its end.
///
/// To drop it does not break it off, unless the runtime itself has ended. Work that panics has ended: whoever waits for what it
/// was to give finds that it gave nothing.
pub(super) struct Attended(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Attended {
    pub(super) fn new(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Some(Box::pin(AssertUnwindSafe(work).catch_unwind().map(drop))))
    }
}

impl Future for Attended {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let done = match &mut self.0 {
            Some(work) => work.as_mut().poll(context),
            None => Poll::Ready(()),
        };
        if done.is_ready() {
            self.0 = None;
        }
        done
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_goes_on_when_nobody_waits_for_it() {
        let (go, gone) = oneshot::channel();
        let (done, is_done) = oneshot::channel();
        let mut work = Attended::new(async move {
            gone.await.unwrap();
            done.send(()).unwrap();
        });
        assert!(futures_util::poll!(&mut work).is_pending());
        drop(work);
        go.send(()).unwrap();
        is_done.await.unwrap();
    }

    #[tokio::test]
    async fn work_that_panics_has_ended() {
        let (answer, answered) = oneshot::channel::<()>();
        let work = Attended::new(async move {
            let _held = answer;
            panic!("a mistake");
        });
        work.await;
        assert!(answered.await.is_err());
    }

    #[tokio::test]
    async fn work_is_done_once() {
        let mut work = Attended::new(async {});
        (&mut work).await;
        work.await;
    }
}
