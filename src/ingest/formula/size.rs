//! How large values are.

use std::ops::Add;

/// How large a value is at the most, or on average over the steps of a loop. Of something that is not there, all is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Size {
    /// Of its texts and names, and [`Size::SCALAR`] for each value.
    pub(super) bytes: f64,
    /// How many elements, members and names it has altogether.
    pub(super) elements: f64,
    /// How many its longest list or object has; never an average.
    pub(super) longest: f64,
    /// The bytes of its longest text; never an average.
    pub(super) text: f64,
    /// Whether it depends on the variable of a loop.
    pub(super) is_own: bool,
}

impl Size {
    /// A number, `true`, `false` or `null`, of eight bytes.
    pub(super) const SCALAR: Self = Self { bytes: 8.0, elements: 0.0, longest: 0.0, text: 0.0, is_own: false };

    pub(super) fn of_text(text: &str) -> Self {
        let length = count(text.len());
        Self { bytes: Self::SCALAR.bytes + length, text: length, ..Self::SCALAR }
    }

    /// Adds an element, a member, or the name of one.
    pub(super) fn insert(&mut self, part: Self) {
        *self = Self {
            elements: self.elements + part.elements + 1.0,
            longest: self.longest.max(part.longest),
            text: self.text.max(part.text),
            ..*self + part
        };
    }

    /// Of a list or an object of so many elements, which have been inserted.
    pub(super) fn of_length(self, length: usize) -> Self {
        Self { longest: self.longest.max(count(length)), ..self }
    }

    /// How long it is at the most, if it is a list or an object.
    pub(super) fn length(self) -> f64 {
        self.longest.min(self.elements)
    }

    /// How many bytes it has at the most, if it is a text.
    pub(super) fn length_of_text(self) -> f64 {
        self.text.min(self.bytes)
    }
}

/// One that is joined with another, or one of the two.
impl Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            bytes: self.bytes + other.bytes,
            elements: self.elements + other.elements,
            longest: self.longest + other.longest,
            text: self.text + other.text,
            is_own: self.is_own || other.is_own,
        }
    }
}

fn count(length: usize) -> f64 {
    u32::try_from(length).unwrap_or(u32::MAX).into()
}
