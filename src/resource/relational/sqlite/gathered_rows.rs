use std::collections::VecDeque;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::resource::ResourceError;
use crate::resource::relational::{Parameter, ParameterRows};

/// How much of the parameters of one update is kept in memory.
const GATHERED_BYTES: usize = 8 * 1024 * 1024;

/// The rows of parameters of an update, gathered before its transaction begins.
///
/// Whoever writes keeps all others from it, so it must not wait for a stream meanwhile: the stream may be slow, and it may
/// come from another update of the same request, which would wait for ever. Where there are more rows than are kept in
/// memory, the rest is awaited after all, within the transaction.
#[derive(Debug)]
pub(super) struct GatheredRows {
    gathered: VecDeque<Vec<Parameter>>,
    /// What was too much.
    rest: Option<ParameterRows>,
    cancel: CancellationToken,
}

impl GatheredRows {
    /// Awaits all rows, or as many as are kept in memory. A stream that breaks off is an error before anything was written.
    pub(super) async fn gather(rows: ParameterRows, cancel: &CancellationToken) -> Result<Self, ResourceError> {
        Self::gather_up_to(GATHERED_BYTES, rows, cancel).await
    }

    async fn gather_up_to(
        most: usize,
        mut rows: ParameterRows,
        cancel: &CancellationToken,
    ) -> Result<Self, ResourceError> {
        let mut gathered = VecDeque::new();
        let mut bytes = 0;
        while let Some(row) = next(&mut rows, cancel).await? {
            bytes += byte_size(&row);
            gathered.push_back(row);
            if bytes >= most {
                return Ok(Self { gathered, rest: Some(rows), cancel: cancel.clone() });
            }
        }
        Ok(Self { gathered, rest: None, cancel: cancel.clone() })
    }

    /// Whether it is known that no row is left.
    pub(super) fn is_empty(&self) -> bool {
        self.gathered.is_empty() && self.rest.is_none()
    }

    /// The next row, or `None` at the end; blocks where it has to be awaited.
    pub(super) fn blocking_next(&mut self) -> Result<Option<Vec<Parameter>>, ResourceError> {
        if self.gathered.is_empty() && self.rest.is_some() {
            return Handle::current().block_on(self.next());
        }
        self.next_gathered()
    }

    /// The next row, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Parameter>>, ResourceError> {
        match self.next_gathered()? {
            Some(row) => Ok(Some(row)),
            None => match &mut self.rest {
                Some(rest) => next(rest, &self.cancel).await,
                None => Ok(None),
            },
        }
    }

    fn next_gathered(&mut self) -> Result<Option<Vec<Parameter>>, ResourceError> {
        if self.cancel.is_cancelled() { Err(ResourceError::Cancelled) } else { Ok(self.gathered.pop_front()) }
    }
}

async fn next(rows: &mut ParameterRows, cancel: &CancellationToken) -> Result<Option<Vec<Parameter>>, ResourceError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(ResourceError::Cancelled),
        // What broke the stream is reported where it happened.
        row = rows.next() => row.map_err(|_| ResourceError::Cancelled),
    }
}

/// What a row takes in memory, roughly.
fn byte_size(row: &[Parameter]) -> usize {
    let held: usize = row
        .iter()
        .map(|parameter| match parameter {
            Parameter::Text(text) => text.len(),
            Parameter::Bytes(bytes) => bytes.len(),
            Parameter::Null | Parameter::Integer(_) | Parameter::Real(_) | Parameter::Boolean(_) => 0,
        })
        .sum();
    size_of::<Vec<Parameter>>() + size_of_val(row) + held
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rows_come_in_their_order_whether_they_were_gathered_or_not() {
        for most in [1, 200, GATHERED_BYTES] {
            let (sender, rows) = ParameterRows::channel();
            for number in 0..100 {
                sender.send(vec![Parameter::Integer(number)]).await.unwrap();
            }
            sender.finish().await;
            let mut rows = GatheredRows::gather_up_to(most, rows, &CancellationToken::new()).await.unwrap();
            assert_eq!(rows.rest.is_some(), most < GATHERED_BYTES);
            let taken = tokio::task::spawn_blocking(move || {
                let mut taken = Vec::new();
                while let Some(row) = rows.blocking_next().unwrap() {
                    taken.extend(row);
                }
                taken
            });
            assert_eq!(taken.await.unwrap(), (0..100).map(Parameter::Integer).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn no_more_is_gathered_than_is_kept_in_memory() {
        let (sender, rows) = ParameterRows::channel();
        let text = "x".repeat(1000);
        for _ in 0..100 {
            sender.send(vec![Parameter::from(text.as_str())]).await.unwrap();
        }
        let rows = GatheredRows::gather_up_to(10_000, rows, &CancellationToken::new()).await.unwrap();
        assert_eq!(rows.gathered.len(), 10);
        assert!(!rows.is_empty());
    }
}
