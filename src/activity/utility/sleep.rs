use std::time::Duration;

use async_trait::async_trait;

use crate::activity::{Activity, ActivityContext, ActivityError, Effects, Setup};
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};

/// `sleep`: waits, and so keeps the request in its session for that long.
///
/// ```xml
/// <sleep name="nap" duration="PT2S"/>
/// ```
#[derive(Debug)]
pub struct Sleep {
    duration: Duration,
}

#[async_trait]
impl Activity for Sleep {
    const ELEMENT: &'static str = activities::Sleep::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, _setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        Ok(Self { duration: activities::Sleep::read(fields)?.duration })
    }

    async fn run(self, context: ActivityContext) -> Result<(), ActivityError> {
        context.sleep(self.duration).await;
        Ok(())
    }
}
