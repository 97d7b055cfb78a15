//! How long a formula may take: a document that anybody writes and an answer that anybody gives must not keep a processor busy,
//! nor fill the memory.

use cel::IdedExpr;
use cel::common::ast::operators::{
    ADD, CONDITIONAL, DIVIDE, EQUALS, GREATER, GREATER_EQUALS, IN, INDEX, LESS, LESS_EQUALS, LOGICAL_AND, LOGICAL_NOT,
    LOGICAL_OR, MODULO, MULTIPLY, NEGATE, NOT_EQUALS, NOT_STRICTLY_FALSE, SUBSTRACT,
};
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue};
use regex::RegexBuilder;

use super::shape::of_entry;
use super::size::Size;

/// The most steps, besides [`LINEAR`] ones for each element of the answer: some ten seconds.
const MOST_STEPS: f64 = 134_217_728.0;

/// The most bytes that are looked through or copied, besides [`LINEAR`] times the answer: 2 GiB.
const MOST_BYTES: f64 = 2_147_483_648.0;

/// What takes as long as the answer is large may go over any answer.
const LINEAR: f64 = 64.0;

/// The most elements of the lists that are built altogether, besides [`COPIES`] times those of the answer.
const MOST_BUILT: f64 = 1_048_576.0;

/// The most bytes of the lists and texts that are built altogether, besides [`COPIES`] times those of the answer: 64 MiB.
const MOST_BUILT_BYTES: f64 = 67_108_864.0;

/// As often a formula may copy the answer.
const COPIES: f64 = 8.0;

/// What a formula takes at the most when it is worked out for an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cost {
    /// How many parts of it are worked out, in all loops.
    steps: f64,
    /// How many bytes are looked through or copied.
    bytes: f64,
    built: f64,
    built_bytes: f64,
}

impl Cost {
    /// With variables of such sizes.
    pub(super) fn of(expression: &IdedExpr, sizes: &dyn Fn(&str) -> Size) -> Self {
        let mut walk = Walk { cost: Self::default(), sizes, bound: Vec::new(), times: 1.0 };
        walk.visit(expression);
        walk.cost
    }

    /// Whether it stays within bounds for such an answer.
    pub(super) fn fits(self, answer: Size) -> bool {
        self.steps <= MOST_STEPS + LINEAR * answer.elements
            && self.bytes <= MOST_BYTES + LINEAR * answer.bytes
            && self.built <= MOST_BUILT + COPIES * answer.elements
            && self.built_bytes <= MOST_BUILT_BYTES + COPIES * answer.bytes
    }
}

struct Walk<'e> {
    cost: Cost,
    sizes: &'e dyn Fn(&str) -> Size,
    bound: Vec<Bound<'e>>,
    /// How often the place is worked out, in all loops around it.
    times: f64,
}

/// A variable of a loop.
struct Bound<'e> {
    name: &'e str,
    /// On average: over all steps of the loop, its values are no more than what the loop goes over.
    size: Size,
    /// What the loop goes over.
    whole: Size,
}

impl<'e> Walk<'e> {
    /// Counts what an expression takes, and says how large its value is.
    fn visit(&mut self, expression: &'e IdedExpr) -> Size {
        self.cost.steps += self.times;
        match &expression.expr {
            Expr::Literal(LiteralValue::String(text)) => Size::of_text(text.inner()),
            Expr::Literal(LiteralValue::Bytes(bytes)) => Size::of_text(&String::from_utf8_lossy(bytes.inner())),
            Expr::Literal(_) | Expr::Unspecified => Size::SCALAR,
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => {
                let size = self.visit(&select.operand);
                if select.test { Size::SCALAR } else { size }
            }
            Expr::List(list) => self.build(list.elements.iter()),
            Expr::Map(map) => self.build(map.entries.iter().flat_map(|entry| of_entry(&entry.expr))),
            Expr::Struct(made) => self.build(made.entries.iter().flat_map(|entry| of_entry(&entry.expr))),
            Expr::Comprehension(over) => self.go_over(over),
            Expr::Call(call) => self.call(call),
        }
    }

    fn variable(&self, name: &str) -> Size {
        // What a loop gathers has a name that nobody can write. It is counted as it is added.
        if name.starts_with('@') {
            return Size::SCALAR;
        }
        let bound = self.bound.iter().rev().find(|bound| bound.name == name);
        bound.map_or_else(|| (self.sizes)(name), |bound| bound.size)
    }

    fn build(&mut self, parts: impl Iterator<Item = &'e IdedExpr>) -> Size {
        let (mut size, mut length) = (Size::SCALAR, 0);
        for part in parts {
            size.insert(self.visit(part));
            length += 1;
        }
        self.built(size.of_length(length))
    }

    fn built(&mut self, size: Size) -> Size {
        self.cost.built += self.times * size.elements;
        self.cost.built_bytes += self.times * size.bytes;
        size
    }

    fn look(&mut self, bytes: f64) -> Size {
        self.cost.bytes += self.times * bytes;
        Size::SCALAR
    }

    fn go_over(&mut self, over: &'e ComprehensionExpr) -> Size {
        let range = self.visit(&over.iter_range);
        self.visit(&over.accu_init);
        // Each element is copied into the variable.
        self.look(range.bytes);
        let outer = self.bound.len();
        let sizes: Vec<_> = self.bound.iter().map(|bound| bound.size).collect();
        if range.is_own {
            // The largest value may be the one that has the most steps, so that nothing is known of the average of these.
            self.bound.iter_mut().for_each(|bound| bound.size = bound.whole);
        }
        let steps = range.length();
        let (whole, average) = (Size { is_own: true, ..range }, 1.0 / steps.max(1.0));
        let size = Size { bytes: whole.bytes * average, elements: whole.elements * average, ..whole };
        let names = [Some(over.iter_var.as_str()), over.iter_var2.as_deref()];
        self.bound.extend(names.into_iter().flatten().map(|name| Bound { name, size, whole }));
        let times = self.times;
        self.times *= steps;
        self.visit(&over.loop_cond);
        let step = self.visit(&over.loop_step);
        self.times = times;
        self.bound.truncate(outer);
        self.bound.iter_mut().zip(sizes).for_each(|(bound, size)| bound.size = size);
        let result = self.visit(&over.result);
        if !matches!(over.accu_init.expr, Expr::List(_)) {
            return result;
        }
        // `map` and `filter` add a list of one element in each step.
        Size { bytes: step.bytes * steps, elements: step.elements * steps, longest: step.longest.max(steps), ..step }
    }

    fn call(&mut self, call: &'e CallExpr) -> Size {
        let operands: Vec<_> = call.target.as_deref().into_iter().chain(&call.args).collect();
        let sizes: Vec<_> = operands.iter().map(|operand| self.visit(operand)).collect();
        match (call.func_name.as_str(), sizes.as_slice()) {
            (
                LOGICAL_AND | LOGICAL_OR | LOGICAL_NOT | NOT_STRICTLY_FALSE | NEGATE | SUBSTRACT | MULTIPLY | DIVIDE
                | MODULO,
                _,
            ) => Size::SCALAR,
            (CONDITIONAL, &[_, one, other]) => one + other,
            (INDEX, &[list, _]) => list,
            (EQUALS | NOT_EQUALS | LESS | LESS_EQUALS | GREATER | GREATER_EQUALS, &[one, other]) => {
                self.look(one.bytes.min(other.bytes))
            }
            ("startsWith" | "endsWith", &[text, part]) => self.look(text.length_of_text().min(part.length_of_text())),
            (IN, &[element, list]) => {
                self.cost.steps += self.times * list.length();
                // Most differ from their beginning.
                self.look(list.bytes.min(element.bytes * list.length()) / 8.0)
            }
            ("matches", &[text, _]) => {
                let pattern = match &operands[1].expr {
                    Expr::Literal(LiteralValue::String(pattern)) => compiled(pattern.inner()),
                    _ => LARGEST_PATTERN,
                };
                // It is compiled for each call.
                self.cost.steps += self.times * (1000.0 + pattern / 2.0);
                self.look(text.length_of_text() * (pattern / SMALLEST_PATTERN))
            }
            (ADD, &[one, other]) => {
                let gathers = matches!(&operands[0].expr, Expr::Ident(name) if name.starts_with('@'));
                if gathers { other } else { self.built(one + other) }
            }
            ("size" | "contains" | "int" | "uint" | "double" | "bool", sizes) => {
                self.look(sizes.iter().map(|size| size.length_of_text()).sum())
            }
            (_, sizes) => {
                let all = sizes.iter().fold(Size::SCALAR, |all, size| all + *size);
                self.look(all.bytes);
                self.built(all)
            }
        }
    }
}

/// As few bytes a pattern counts as when it is compiled.
const SMALLEST_PATTERN: f64 = 4096.0;

/// As many a pattern counts as that does not stand in the formula: it can be any. More is an error of CEL's.
const LARGEST_PATTERN: f64 = 10_485_760.0;

/// How many bytes a pattern takes when it is compiled, up to the next power of two.
fn compiled(pattern: &str) -> f64 {
    let fits = |bits: &u32| RegexBuilder::new(pattern).size_limit(1 << bits).build().is_ok();
    (12..23).find(fits).map_or(LARGEST_PATTERN, |bits| f64::from(1_u32 << bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(formula: &str, body: Size) -> bool {
        let program = cel::Program::compile(formula).unwrap();
        let sizes = |name: &str| if name == "body" { body } else { Size::SCALAR };
        Cost::of(program.expression(), &sizes).fits(body)
    }

    /// Of an answer with a list of so many objects of four members and 100 bytes.
    fn list(longest: f64) -> Size {
        Size { bytes: longest * 100.0, elements: longest * 5.0, longest, text: 50.0, is_own: false }
    }

    /// Of an answer with two elements and a text of so many bytes.
    fn text(text: f64) -> Size {
        Size { bytes: text + 100.0, elements: 4.0, longest: 2.0, text, is_own: false }
    }

    #[test]
    fn what_takes_as_long_as_the_answer_is_large_may_go_over_any_answer() {
        for formula in [
            "body.state == 'done' && body.text.contains('x') && body.text.size() > 3",
            "body.items.all(item, item.state == 'done')",
            "body.items.exists(item, item.owner == body.owner && rows < 100)",
            "body.items.filter(item, item.done).map(item, item.id).size() == total",
            "body.items.exists(item, item.name.startsWith('a') || item.state in ['x', 'y'])",
            "body.items.all(item, item.tags.exists(tag, tag == 'x' || tag.contains('y')))",
            "body.items.exists(item, item.tags.size() > 3 && item.name.size() > 3)",
            "['a', 'b'].exists(s, key.startsWith(s) || body.items.exists(item, item.id == s))",
        ] {
            assert!(fits(formula, list(1e7)), "{formula}");
        }
    }

    #[test]
    fn what_takes_longer_goes_over_so_many_elements() {
        let many = vec!["body.a.all(a, body.a.exists(b, a == b))"; 40].join(" && ");
        let joined = "(body.a + body.a + body.a).all(a, (body.a + body.a + body.a).exists(b, a == b))";
        for (formula, most) in [
            ("body.items.all(item, item.id in body.done)", 10_000.0),
            ("body.items.all(item, body.items.exists_one(other, other == item))", 3000.0),
            ("body.a.all(a, body.a.exists(b, a == b))", 3000.0),
            (joined, 100.0),
            (&many, 500.0),
            ("body.items.all(item, body == body)", 4000.0),
            ("body.items.all(item, (item.x ? item : body) == body)", 4000.0),
            ("body.items.all(i, i.id.matches('^v[0-9]+$'))", 20_000.0),
            ("body.items.all(i, i.id.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}$'))", 8000.0),
            (r"body.items.all(i, i.id.matches('(\\w{10}){20}|v.*'))", 20.0),
            ("body.items.exists(item, item.name.matches(body.pattern))", 20.0),
            ("body.items.map(i, body.items.map(j, 1)).size() > 0", 600.0),
            ("body.items.all(i, body.items.filter(j, j.id == i.id).size() == 1)", 300.0),
        ] {
            assert!(fits(formula, list(most)), "{formula}");
            assert!(!fits(formula, list(most * 8.0)), "{formula}");
        }
    }

    #[test]
    fn what_goes_through_a_long_text_for_each_element_takes_few() {
        for (formula, fit) in [
            ("body.items.exists(i, i.name.startsWith('a') && i.name == body.name)", true),
            ("['a', 'b'].exists(s, body.text.endsWith(s))", true),
            ("['a', 'b'].exists(s, body.text.contains(s) && int(body.id) > 1 && body.text.size() > 1)", true),
            ("[body.text].map(x, x + x).map(y, y + y).size() == 1", false),
        ] {
            assert_eq!(fits(formula, text(1e8)), fit, "{formula}");
        }
        assert!(fits("body.items.exists(i, i.name.startsWith(body.prefix))", text(3e6)));
        let long = Size { text: 1e6, ..list(1e4) };
        for name in ["contains(i)", "size() > 1", "matches('a')"] {
            assert!(!fits(&format!("body.items.exists(i, body.text.{name})"), long), "{name}");
        }
        assert!(!fits("body.items.exists(i, (i.x ? i : body).size() > 1)", long));
        assert!(!fits("body.items.exists(i, (i.id + body.text).size() > 10)", long));
    }
}
