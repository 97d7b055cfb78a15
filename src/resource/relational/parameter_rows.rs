use tokio::sync::mpsc;

use super::Parameter;
use crate::block::{ReaderGone, StreamBroken};

/// How many rows of parameters wait between their source and the update that takes them.
pub const PARAMETER_ROWS: usize = 256;

/// The rows of parameters that an update runs with: one, or a stream of them.
///
/// ```
/// use rejoin::resource::relational::{Parameter, ParameterRows};
///
/// let one = ParameterRows::one([Parameter::Integer(7)]);
/// let (sender, many) = ParameterRows::channel();
/// # drop((one, sender, many));
/// ```
#[derive(Debug)]
pub struct ParameterRows(Source);

#[derive(Debug)]
enum Source {
    One(Option<Vec<Parameter>>),
    Many { receiver: mpsc::Receiver<Item>, ended: bool },
}

#[derive(Debug)]
enum Item {
    Row(Vec<Parameter>),
    End,
}

impl ParameterRows {
    /// One row: the statement runs once.
    #[must_use]
    pub fn one(parameters: impl IntoIterator<Item = Parameter>) -> Self {
        Self(Source::One(Some(parameters.into_iter().collect())))
    }

    /// A bounded stream of rows: the statement runs once for each, in one transaction.
    #[must_use]
    pub fn channel() -> (ParameterSender, Self) {
        let (sender, receiver) = mpsc::channel(PARAMETER_ROWS);
        (ParameterSender { sender }, Self(Source::Many { receiver, ended: false }))
    }

    /// The next row, or `None` at the end.
    ///
    /// # Errors
    ///
    /// [`StreamBroken`] when the source was dropped before it said that it is complete.
    pub async fn next(&mut self) -> Result<Option<Vec<Parameter>>, StreamBroken> {
        match &mut self.0 {
            Source::One(row) => Ok(row.take()),
            Source::Many { ended: true, .. } => Ok(None),
            Source::Many { receiver, ended } => match receiver.recv().await {
                Some(Item::Row(row)) => Ok(Some(row)),
                Some(Item::End) => {
                    *ended = true;
                    Ok(None)
                }
                None => Err(StreamBroken),
            },
        }
    }
}

/// The end of [`ParameterRows::channel`] that the rows are put into.
#[derive(Debug)]
pub struct ParameterSender {
    sender: mpsc::Sender<Item>,
}

impl ParameterSender {
    /// Sends one row, after waiting for room.
    ///
    /// # Errors
    ///
    /// [`ReaderGone`] when the update takes no more: it has failed or was cancelled.
    pub async fn send(&self, row: Vec<Parameter>) -> Result<(), ReaderGone> {
        self.sender.send(Item::Row(row)).await.map_err(|_| ReaderGone)
    }

    /// Says that all rows were sent. An update whose sender is dropped without it changes nothing.
    pub async fn finish(self) {
        // An update that has failed does not care for the end.
        let _ = self.sender.send(Item::End).await;
    }
}
