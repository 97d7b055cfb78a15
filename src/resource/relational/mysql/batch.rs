//! Rows of parameters that go to the server together.

use super::update::AwaitedRows;
use crate::resource::ResourceError;
use crate::resource::relational::Parameter;

/// The most rows of a batch.
const ROWS: usize = 1000;

/// How many bytes a batch takes, but for one that is a single row: a quarter of what the smallest servers take.
const BYTES: usize = 256 * 1024;

/// Gathers rows into batches in which every parameter has one type, as the server wants them.
#[derive(Debug)]
pub(super) struct Batches {
    rows: AwaitedRows,
    /// Whether there are batches of more than one row.
    is_bulk: bool,
    /// The row that did not go with those before it.
    held_back: Option<Vec<Parameter>>,
}

impl Batches {
    pub(super) fn new(rows: AwaitedRows, is_bulk: bool) -> Self {
        Self { rows, is_bulk, held_back: None }
    }

    /// The next batch, of one row at least; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Vec<Parameter>>>, ResourceError> {
        let first = match self.held_back.take() {
            Some(row) => row,
            None => match self.rows.next().await? {
                Some(row) => row,
                None => return Ok(None),
            },
        };
        let most = if self.is_bulk { ROWS } else { 1 };
        let mut types: Vec<Option<Type>> = first.iter().map(Type::of).collect();
        let mut bytes = byte_size(&first);
        let mut batch = vec![first];
        while batch.len() < most {
            let Some(row) = self.rows.next().await? else { break };
            bytes += byte_size(&row);
            if bytes > BYTES || !join(&mut types, &row) {
                self.held_back = Some(row);
                break;
            }
            batch.push(row);
        }
        Ok(Some(batch))
    }
}

/// The types that parameters have for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Integer,
    Real,
}

impl Type {
    /// `None` is of every type.
    fn of(parameter: &Parameter) -> Option<Self> {
        match parameter {
            Parameter::Null => None,
            Parameter::Text(_) | Parameter::Bytes(_) => Some(Self::Text),
            Parameter::Integer(_) | Parameter::Boolean(_) => Some(Self::Integer),
            Parameter::Real(_) => Some(Self::Real),
        }
    }
}

/// Takes the types of a row in, if they are the same; NULL is of every type.
fn join(types: &mut [Option<Type>], row: &[Parameter]) -> bool {
    if types.len() != row.len() {
        return false;
    }
    let fits = types.iter().zip(row).all(|(known, value)| match (known, Type::of(value)) {
        (Some(known), Some(other)) => *known == other,
        _ => true,
    });
    if fits {
        for (known, value) in types.iter_mut().zip(row) {
            *known = known.or(Type::of(value));
        }
    }
    fits
}

fn byte_size(row: &[Parameter]) -> usize {
    row.iter().map(|parameter| 10 + super::bind::byte_len(parameter)).sum()
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::resource::relational::ParameterRows;

    async fn sizes(is_bulk: bool, rows: Vec<Parameter>) -> Vec<usize> {
        let (sender, receiver) = ParameterRows::channel();
        let sending = async {
            for row in rows {
                sender.send(vec![row]).await.unwrap();
            }
            sender.finish().await;
        };
        let receiving = async {
            let rows = AwaitedRows::gather(receiver, &CancellationToken::new()).await.unwrap();
            let mut batches = Batches::new(rows, is_bulk);
            let mut sizes = Vec::new();
            while let Some(batch) = batches.next().await.unwrap() {
                sizes.push(batch.len());
            }
            sizes
        };
        tokio::join!(sending, receiving).1
    }

    #[tokio::test]
    async fn rows_of_the_same_types_go_together() {
        let rows = || vec![Parameter::Null, 1.into(), 2.into(), "a".into(), Parameter::Null, Parameter::Real(0.5)];
        assert_eq!(sizes(true, rows()).await, [3, 2, 1]);
        assert_eq!(sizes(false, rows()).await, [1; 6]);
        assert_eq!(sizes(true, vec![1.into(); 2500]).await, [1000, 1000, 500]);
        let large = Parameter::from("x".repeat(BYTES).as_str());
        assert_eq!(sizes(true, vec!["a".into(), large, "b".into(), "c".into()]).await, [1, 1, 2]);
        assert_eq!(sizes(true, Vec::new()).await, [0; 0]);
    }
}
