//! A table of text, its columns aligned.

use super::super::style::Style;
use super::harmless::harmless;

/// No column grows wider than this; what is longer is cut.
const WIDEST: usize = 40;

/// Lines of cells under a heading. Columns grow with what they hold and never shrink, so that pages fit under each other.
pub(super) struct Table<const COLUMNS: usize> {
    widths: [usize; COLUMNS],
    is_to_the_right: [bool; COLUMNS],
}

/// A text and how it is painted once it has its width.
pub(super) struct Cell {
    text: String,
    paint: Paint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Heading,
    Faint,
    Bright,
    Alarm,
}

impl Cell {
    /// A cell with a text from anywhere: what would change the terminal is shown as U+FFFD.
    pub(super) fn new(text: &str) -> Self {
        Self { text: cut(&harmless(text)), paint: Paint::Plain }
    }

    pub(super) fn painted(mut self, paint: Paint) -> Self {
        self.paint = paint;
        self
    }
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// A table; columns of numbers are aligned to the right.
    pub(super) fn new(is_to_the_right: [bool; COLUMNS]) -> Self {
        Self { widths: [0; COLUMNS], is_to_the_right }
    }

    /// The lines for these cells.
    pub(super) fn lines(&mut self, rows: &[[Cell; COLUMNS]], style: Style) -> Vec<String> {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.chars().count());
            }
        }
        rows.iter().map(|row| self.line(row, style)).collect()
    }

    fn line(&self, row: &[Cell; COLUMNS], style: Style) -> String {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(self.widths[column] - cell.text.chars().count());
            let painted = paint(cell, style);
            if column > 0 {
                line.push_str("  ");
            }
            if self.is_to_the_right[column] {
                line.push_str(&padding);
                line.push_str(&painted);
            } else {
                line.push_str(&painted);
                line.push_str(&padding);
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn paint(cell: &Cell, style: Style) -> String {
    match cell.paint {
        Paint::Plain => cell.text.clone(),
        Paint::Heading => style.heading(&cell.text),
        Paint::Faint => style.note(&cell.text),
        Paint::Bright => style.arrow(&cell.text),
        Paint::Alarm => style.alarm(&cell.text),
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= WIDEST {
        return text.to_owned();
    }
    text.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_pages_fit_under_each_other() {
        let mut table = Table::new([false, true]);
        let row = |left: &str, right: &str| [Cell::new(left), Cell::new(right)];
        let lines = table.lines(&[row("NAME", "BYTES"), row("é", "7")], Style::plain());
        assert_eq!(lines, ["NAME  BYTES", "é         7"]);
        assert_eq!(table.lines(&[row("longer", "1")], Style::plain()), ["longer      1"]);
        assert_eq!(table.lines(&[row("x", "1")], Style::plain()), ["x           1"]);
    }

    #[test]
    fn a_cell_is_no_wider_than_a_column_may_be() {
        assert_eq!(Cell::new(&"x".repeat(50)).text.chars().count(), WIDEST);
    }
}
