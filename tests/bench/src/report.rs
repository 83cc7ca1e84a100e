//! What is printed: budgets beside what was measured.

use crate::budgets::{Limit, Measured};
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

/// Between the parts of the table.
const LINE: LineStyle = LineStyle::none().fill('─').junction('─');

/// For people.
#[must_use]
pub fn table(measured: &[Measured]) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new().top_border(LINE).header_separator(LINE).bottom_border(LINE));
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["", "measured", "budget", "", "beside it"]);
    for one in measured {
        let budget = one.budget;
        let limit = match budget.limit {
            Limit::AtMost(most) => format!("≤ {} {}", number(most), budget.unit),
            Limit::AtLeast(least) => format!("≥ {} {}", number(least), budget.unit),
        };
        let kept = if one.is_kept() { "kept" } else { "MISSED" };
        table.add_row([budget.what, &number(one.measure), &limit, kept, &one.beside]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// As many digits as say something: `120,034`, `8.7`, `0.323`, `0.00091`.
#[must_use]
pub fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value >= 1_000.0 {
        return grouped(value);
    }
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else if value >= 1.0 {
        2
    } else if value >= 0.01 {
        3
    } else {
        5
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let parts: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|part| std::str::from_utf8(part).unwrap_or_default())
        .collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        let told = [0.0, 6.0, 8.73, 12.34, 323.4, 50_000.0, 1_234_567.0, 0.323, 0.000_914].map(number);
        assert_eq!(told, ["0", "6", "8.73", "12.3", "323", "50,000", "1,234,567", "0.323", "0.00091"]);
    }
}
