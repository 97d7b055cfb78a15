//! How long a formula may take: a document that anybody writes and an answer that anybody gives must not keep a processor busy.

use cel::IdedExpr;
use cel::common::ast::operators::{
    ADD, CONDITIONAL, DIVIDE, EQUALS, GREATER, GREATER_EQUALS, IN, INDEX, LESS, LESS_EQUALS, LOGICAL_AND, LOGICAL_NOT,
    LOGICAL_OR, MODULO, MULTIPLY, NEGATE, NOT_EQUALS, NOT_STRICTLY_FALSE, OPT_INDEX, OPT_SELECT, SUBSTRACT,
};
use cel::common::ast::{CallExpr, Expr};

use super::shape::of_entry;

/// The most steps of all loops: some ten seconds.
const MOST_STEPS: u128 = 1 << 27;

/// The most bytes of what is looked through in those steps.
const MOST_BYTES: u128 = 1 << 31;

/// So many elements a list may have that stands in the formula itself.
const WRITTEN: u128 = 1024;

/// What grows with the answer when a formula is worked out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// How many loops stand in each other at the most; to look for an element in a list is one, too.
    loops: u32,
    /// How many loops stand around what looks through a value that is not the loop's own, such as a comparison of two lists.
    around_whole: u32,
    /// How many lists are joined.
    joined: u32,
}

impl Cost {
    pub(super) fn of(expression: &IdedExpr) -> Self {
        let mut walk = Walk { cost: Self::default(), own: Vec::new(), depth: 0 };
        walk.visit(expression);
        walk.cost
    }

    /// Whether it stays within bounds for an answer of so many bytes, whose longest list or object has so many elements.
    pub(super) fn fits(self, longest: usize, bytes: usize) -> bool {
        let longest = (longest as u128).max(WRITTEN).saturating_mul(u128::from(self.joined) + 1);
        let has_few_steps = self.loops <= 1 || longest.saturating_pow(self.loops) <= MOST_STEPS;
        let around = longest.saturating_pow(self.around_whole);
        let has_few_bytes = self.around_whole == 0 || around.saturating_mul(bytes as u128) <= MOST_BYTES;
        has_few_steps && has_few_bytes
    }
}

struct Walk<'e> {
    cost: Cost,
    /// The variables of the innermost loop: over all its steps, their values are no more than the list.
    own: Vec<&'e str>,
    depth: u32,
}

impl<'e> Walk<'e> {
    fn visit(&mut self, expression: &'e IdedExpr) {
        match &expression.expr {
            Expr::Comprehension(over) => {
                for part in [&over.iter_range, &over.accu_init] {
                    self.visit(part);
                }
                let own = std::iter::once(over.iter_var.as_str()).chain(over.iter_var2.as_deref()).collect();
                let outer = std::mem::replace(&mut self.own, own);
                self.depth += 1;
                self.cost.loops = self.cost.loops.max(self.depth);
                for part in [&over.loop_cond, &over.loop_step] {
                    self.visit(part);
                }
                self.depth -= 1;
                self.own = outer;
                self.visit(&over.result);
            }
            Expr::Call(call) => {
                self.call(call);
                operands(call).for_each(|operand| self.visit(operand));
            }
            other => parts(other).into_iter().for_each(|part| self.visit(part)),
        }
    }

    fn call(&mut self, call: &'e CallExpr) {
        let mut operands = operands(call);
        let is_small = match call.func_name.as_str() {
            LOGICAL_AND | LOGICAL_OR | LOGICAL_NOT | CONDITIONAL | NOT_STRICTLY_FALSE | INDEX | OPT_INDEX
            | OPT_SELECT | NEGATE | SUBSTRACT | MULTIPLY | DIVIDE | MODULO | "size" => true,
            EQUALS | NOT_EQUALS | LESS | LESS_EQUALS | GREATER | GREATER_EQUALS => {
                operands.any(|operand| self.is_small(operand))
            }
            IN => {
                if !call.args.last().is_some_and(|list| matches!(list.expr, Expr::List(_))) {
                    self.cost.loops = self.cost.loops.max(self.depth + 1);
                }
                true
            }
            ADD => {
                // What `map` and `filter` add to their list is added in its place.
                let adds_element = call.args.last().is_some_and(|element| matches!(element.expr, Expr::List(_)));
                let is_small = adds_element || operands.all(|operand| self.is_small(operand));
                self.cost.joined += u32::from(!is_small);
                is_small
            }
            _ => operands.all(|operand| self.is_small(operand)),
        };
        if !is_small {
            self.cost.around_whole = self.cost.around_whole.max(self.depth);
        }
    }

    /// Whether a value is small by itself, or belongs to the innermost loop.
    fn is_small(&self, expression: &IdedExpr) -> bool {
        match &expression.expr {
            Expr::Literal(_) => true,
            Expr::Ident(name) => {
                // What a loop gathers has a name that nobody can write, and is made of its own.
                let is_count = name.starts_with('@') || matches!(name.as_str(), "status" | "rows" | "total" | "page");
                is_count || self.own.contains(&name.as_str())
            }
            _ => self.is_own(expression),
        }
    }

    fn is_own(&self, expression: &IdedExpr) -> bool {
        match &expression.expr {
            Expr::Ident(name) => self.own.contains(&name.as_str()),
            Expr::Select(select) => self.is_own(&select.operand),
            Expr::Call(call) => operands(call).next().is_some_and(|operand| self.is_own(operand)),
            _ => false,
        }
    }
}

fn operands(call: &CallExpr) -> impl Iterator<Item = &IdedExpr> {
    call.target.as_deref().into_iter().chain(&call.args)
}

/// What stands inside of an expression that is neither a call nor a loop.
fn parts(expression: &Expr) -> Vec<&IdedExpr> {
    match expression {
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Map(map) => map.entries.iter().flat_map(|entry| of_entry(&entry.expr)).collect(),
        Expr::Struct(made) => made.entries.iter().flat_map(|entry| of_entry(&entry.expr)).collect(),
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) | Expr::Call(_) | Expr::Comprehension(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(formula: &str, longest: usize, bytes: usize) -> bool {
        let program = cel::Program::compile(formula).unwrap();
        Cost::of(program.expression()).fits(longest, bytes)
    }

    #[test]
    fn what_takes_one_step_for_each_element_may_go_over_any_answer() {
        for formula in [
            "body.state == 'done'",
            "body.items.all(item, item.state == 'done')",
            "body.items.exists(item, item.owner == body.owner && rows < 100)",
            "body.items.filter(item, item.done).map(item, item.id).size() == total",
            "body.items.exists(item, item.name.startsWith('a') || item.state in ['x', 'y'])",
        ] {
            assert!(fits(formula, 10_000_000, 1 << 30), "{formula}");
        }
    }

    #[test]
    fn loops_in_each_other_go_over_lists_of_some_thousands() {
        for formula in [
            "body.items.all(item, item.tags.exists(tag, tag == 'x'))",
            "body.items.all(item, item.id in body.done)",
            "body.items.all(item, body.items.exists_one(other, other == item))",
        ] {
            assert!(fits(formula, 10_000, 1 << 20), "{formula}");
            assert!(!fits(formula, 100_000, 1 << 20), "{formula}");
        }
    }

    #[test]
    fn what_looks_through_the_whole_answer_for_each_element_takes_a_small_one() {
        for formula in [
            "body.items.all(item, body == body)",
            "body.items.exists(item, body.text.contains(item))",
            "body.items.exists(item, item.matches(body.pattern))",
            "body.items.exists(item, (item + body.text).size() > 10)",
        ] {
            assert!(fits(formula, 1000, 1 << 20), "{formula}");
            assert!(!fits(formula, 100_000, 64 << 20), "{formula}");
        }
    }

    #[test]
    fn lists_that_are_joined_are_longer() {
        let formula = "(body.a + body.a + body.a).all(a, (body.a + body.a + body.a).exists(b, a == b))";
        assert!(fits("body.a.all(a, body.a.exists(b, a == b))", 10_000, 1 << 10) && !fits(formula, 10_000, 1 << 10));
    }
}
