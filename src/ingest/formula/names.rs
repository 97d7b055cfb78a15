//! Which variables an expression asks for.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr};

/// The first name that is neither known nor bound by a macro of the expression itself (`items.exists(item, item > 1)`).
pub(super) fn unknown<'e>(expression: &'e IdedExpr, known: &[&str]) -> Option<&'e str> {
    Walk { known, bound: Vec::new() }.first(expression)
}

struct Walk<'e, 'k> {
    known: &'k [&'k str],
    bound: Vec<&'e str>,
}

impl<'e> Walk<'e, '_> {
    fn first(&mut self, expression: &'e IdedExpr) -> Option<&'e str> {
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => None,
            Expr::Ident(name) => self.ident(name),
            Expr::Call(call) => self.any(call.target.as_deref().into_iter().chain(&call.args)),
            Expr::List(list) => self.any(&list.elements),
            Expr::Select(select) => self.first(&select.operand),
            Expr::Map(map) => map.entries.iter().find_map(|entry| self.entry(&entry.expr)),
            Expr::Struct(made) => made.entries.iter().find_map(|entry| self.entry(&entry.expr)),
            Expr::Comprehension(over) => {
                let outside = self.any([&over.iter_range, &over.accu_init]);
                if outside.is_some() {
                    return outside;
                }
                let depth = self.bound.len();
                self.bound.extend([over.iter_var.as_str(), over.accu_var.as_str()]);
                self.bound.extend(over.iter_var2.as_deref());
                let inside = self.any([&over.loop_cond, &over.loop_step, &over.result]);
                self.bound.truncate(depth);
                inside
            }
        }
    }

    fn any(&mut self, expressions: impl IntoIterator<Item = &'e IdedExpr>) -> Option<&'e str> {
        expressions.into_iter().find_map(|expression| self.first(expression))
    }

    fn entry(&mut self, entry: &'e EntryExpr) -> Option<&'e str> {
        match entry {
            EntryExpr::StructField(field) => self.first(&field.value),
            EntryExpr::MapEntry(entry) => self.any([&entry.key, &entry.value]),
        }
    }

    fn ident(&self, name: &'e str) -> Option<&'e str> {
        let is_known = name.starts_with('@') || self.known.contains(&name) || self.bound.contains(&name);
        (!is_known).then_some(name)
    }
}
