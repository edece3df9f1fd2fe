//! Plain text for people: tables whose columns line up, counts with thousands apart.

use std::io::{self, Write};

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// A table in the making. Every row has as many cells as there are columns.
#[derive(Debug)]
pub struct Table {
    aligns: Vec<Align>,
    /// The header line first.
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a header line.
    pub fn new(columns: &[(&str, Align)]) -> Self {
        Table {
            aligns: columns.iter().map(|(_, align)| *align).collect(),
            rows: vec![columns.iter().map(|(name, _)| (*name).to_owned()).collect()],
        }
    }

    /// One more row.
    ///
    /// # Panics
    /// Where it has not as many cells as there are columns.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        // A line break or a tab in a cell, such as a name from a file may have, would end the alignment.
        let cells: Vec<String> = cells.into_iter().map(|cell| cell.replace(char::is_control, " ")).collect();
        assert_eq!(cells.len(), self.aligns.len(), "invariant: a row has one cell for each column");
        self.rows.push(cells);
    }

    /// Writes it, every line after `indent`, two spaces between columns, none at the end of a line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write, indent: &str) -> io::Result<()> {
        let width_of = |column: usize| self.rows.iter().map(|row| width(&row[column])).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.aligns.len()).map(width_of).collect();
        for row in &self.rows {
            let mut line = indent.to_owned();
            for ((cell, align), &column_width) in row.iter().zip(&self.aligns).zip(&widths) {
                let padding = " ".repeat(column_width - width(cell));
                match align {
                    Align::Left => line.extend([cell, &padding, "  "]),
                    Align::Right => line.extend([&padding, cell, "  "]),
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

/// A count with its thousands apart: `12,345`.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun, which takes an s unless there is one: `1 row`, `2 rows`.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&[("prefix", Align::Left), ("price", Align::Right)]);
        table.row(["44".to_owned(), "0.015".to_owned()]);
        table.row(["Côte d'Ivoire".to_owned(), "12.00".to_owned()]);
        table.row(["a\nb".to_owned(), String::new()]);
        let mut out = Vec::new();
        table.write(&mut out, "  ").expect("a Vec takes everything");
        let expected = "  prefix         price\n  44             0.015\n  Côte d'Ivoire  12.00\n  a b\n";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!((counted(1, "row"), counted(0, "row")), ("1 row".to_owned(), "0 rows".to_owned()));
    }
}
