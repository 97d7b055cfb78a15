//! Activities that begin or end a transaction, and those whose statements may be part of it.

use super::plan::Plan;
use super::{PlanError, PlanProblem};
use crate::activity::{Ports, TransactionPart};

impl Plan {
    /// A statement beside the beginning or the end of a transaction would run in it or outside of it as it happens. So the one
    /// has to come after the other.
    pub(super) fn check_boundaries(&self, ports: &[Ports]) -> Result<(), PlanError> {
        if !ports.iter().any(|ports| ports.part.is_boundary()) {
            return Ok(());
        }
        let earlier = self.earlier_steps();
        for (later, ports_of_later) in ports.iter().enumerate() {
            for (first, ports_of_first) in ports[..later].iter().enumerate() {
                let matters = match (ports_of_first.part, ports_of_later.part) {
                    (TransactionPart::None, _) | (_, TransactionPart::None) => false,
                    parts => parts != (TransactionPart::Statements, TransactionPart::Statements),
                };
                if matters && !earlier[later][first] {
                    return Err(self.side_by_side(first, later));
                }
            }
        }
        Ok(())
    }

    fn side_by_side(&self, first: usize, later: usize) -> PlanError {
        let (first, later) = (&self.activities[first], &self.activities[later]);
        PlanError::new(
            PlanProblem::Stream,
            later.position,
            format!(
                "`{}` and `{}` run side by side, so it would be chance what is part of the transaction: put them into a \
                 `sequence`, in the order that you mean",
                first.name, later.name
            ),
        )
    }
}
