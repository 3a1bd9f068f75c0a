//! Tables for terminals: columns as wide as their widest cell, nothing else.

use crate::print::line;

/// Prints rows under a header; says `none` where there are no rows.
pub(crate) fn print(header: &[&str], rows: &[Vec<String>]) {
    if rows.is_empty() {
        line("none");
        return;
    }
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells
            .chain(header.get(column).map(|name| name.len()))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let format = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            text.push_str(cell);
            let padding = width.saturating_sub(cell.chars().count()) + 2;
            text.extend(std::iter::repeat_n(' ', padding));
        }
        text.trim_end().to_owned()
    };
    line(&format(&mut header.iter().copied()));
    for row in rows {
        line(&format(&mut row.iter().map(String::as_str)));
    }
}
