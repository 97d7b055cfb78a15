use crate::block::Scalar;
use crate::session::StaticSessionAttribute;

/// A value that never changes.
#[derive(Debug)]
pub(super) struct Constant(pub(super) Scalar);

impl StaticSessionAttribute for Constant {
    fn type_name(&self) -> &'static str {
        self.0.scalar_type().name()
    }

    fn scalar(&self) -> Option<Scalar> {
        Some(self.0.clone())
    }
}
