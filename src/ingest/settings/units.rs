/// One ingestion for each row of a secondary input: `ms.secondary.input`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitSettings {
    /// The columns that become variables of the unit and go with its requests: category `activation`. Empty: all of them.
    pub activation: Vec<Box<str>>,
    /// The columns that become variables, and are never sent but where a template names them: category `authentication`.
    pub authentication: Vec<Box<str>>,
    /// The columns of which the body is made: category `payload`.
    pub payload: Vec<Box<str>>,
    /// `ms.work.unit.parallelism.max`: how many run side by side.
    pub parallelism: u32,
    /// `rejoin.unit.failure`: whether the others stop when one fails.
    pub stops_at_failure: bool,
}
