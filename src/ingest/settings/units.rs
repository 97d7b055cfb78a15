use std::sync::Arc;

use regex::Regex;

use super::WindowSettings;

/// Which units an ingestion has, each with requests and progress of its own: one for each row of the secondary input, each
/// window of time, each listed unit, and every pairing of those that there are.
#[derive(Debug, Clone)]
pub struct UnitSettings {
    /// `ms.secondary.input`: which columns of a row become variables.
    pub columns: SecondaryColumns,
    /// Rows that are taken: each column that is named matches as a whole, and is not null.
    pub filters: Vec<(Box<str>, Arc<Regex>)>,
    /// `ms.watermark`: the window of time. `None`: no parameter speaks of one.
    pub window: Option<WindowSettings>,
    /// `ms.watermark` of the type `unit`.
    pub list: Option<UnitList>,
    /// `ms.work.unit.parallelism.max`: how many run side by side.
    pub parallelism: u32,
    /// `ms.work.unit.min.units`: fewer units are a failure.
    pub least: u64,
    /// `rejoin.unit.failure`: whether the others stop when one fails.
    pub stops_at_failure: bool,
}

/// Ten units side by side, of which one failing doesn't stop the others.
impl Default for UnitSettings {
    fn default() -> Self {
        Self {
            columns: SecondaryColumns::default(),
            filters: Vec::new(),
            window: None,
            list: None,
            parallelism: 10,
            least: 0,
            stops_at_failure: false,
        }
    }
}

/// Which columns of the secondary input are what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecondaryColumns {
    /// They become variables of the unit and go with its requests: category `activation`. `None`: all that are not named below.
    pub activation: Option<Vec<Box<str>>>,
    /// They become variables, and are never sent but where a template names them: category `authentication`.
    pub authentication: Vec<Box<str>>,
    /// The body is made of them, one row for each request: category `payload`.
    pub payload: Vec<Box<str>>,
}

/// Units by name: each one is a value of the same variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitList {
    /// The name of the variable.
    pub name: Box<str>,
    /// Its values.
    pub values: Vec<Box<str>>,
}
