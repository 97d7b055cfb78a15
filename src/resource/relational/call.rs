use super::{Parameter, TableName};

/// A call of a stored procedure or function.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcedureCall {
    /// Its name, with its schema where one is given.
    pub name: TableName,
    /// In their order.
    pub arguments: Vec<Argument>,
}

/// An argument of a [`ProcedureCall`].
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// Given to the procedure.
    In(Parameter),
    /// Given back by it.
    Out,
    /// Both.
    InOut(Parameter),
}

/// What a call that ran to its end has done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CallEnd {
    /// How many rows it gave.
    pub rows: u64,
    /// What it gave back in its out-parameters, by position.
    pub out: Vec<OutParameter>,
    /// How many rows it changed, where the database says so.
    pub update_count: Option<u64>,
}

/// What a procedure gave back in one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct OutParameter {
    /// The position among the arguments, from 1.
    pub position: u32,
    /// The name of the parameter, where the database knows it.
    pub name: Option<String>,
    /// The value.
    pub value: Parameter,
}
