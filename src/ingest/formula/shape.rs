//! How deep an expression is.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr};

/// How many levels an expression has at its deepest place.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    /// Of anything.
    pub(super) depth: usize,
    /// Of loops: those that stand in each other, and those that go over what another one makes.
    pub(super) loops: usize,
}

pub(super) fn of(expression: &IdedExpr) -> Shape {
    let inner = match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => Shape::default(),
        Expr::Call(call) => deepest(call.target.as_deref().into_iter().chain(&call.args)),
        Expr::List(list) => deepest(&list.elements),
        Expr::Select(select) => of(&select.operand),
        Expr::Map(map) => deepest(map.entries.iter().flat_map(|entry| of_entry(&entry.expr))),
        Expr::Struct(made) => deepest(made.entries.iter().flat_map(|entry| of_entry(&entry.expr))),
        Expr::Comprehension(over) => {
            let parts = [&over.iter_range, &over.accu_init, &over.loop_cond, &over.loop_step, &over.result];
            let inner = deepest(parts);
            Shape { loops: inner.loops + 1, ..inner }
        }
    };
    Shape { depth: inner.depth + 1, ..inner }
}

fn deepest<'e>(expressions: impl IntoIterator<Item = &'e IdedExpr>) -> Shape {
    expressions.into_iter().map(of).fold(Shape::default(), |one, other| Shape {
        depth: one.depth.max(other.depth),
        loops: one.loops.max(other.loops),
    })
}

pub(super) fn of_entry(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}
