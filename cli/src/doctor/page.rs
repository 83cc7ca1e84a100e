//! The report for people: a line a check, and under what is wrong what that breaks and what mends it.

use super::finding::{Finding, Report, State};
use crate::sheet::WIDTH;
use crate::text::{self, plural};
use console::style;
use std::fmt::Write;

/// Of the longest state there is.
const STATE_CHARS: usize = 9;
/// What stands under a line begins here.
const INDENT: &str = "    ";
const LABEL_CHARS: usize = 8;

// Writing to a String cannot fail: every result of it below is dropped for that reason.

/// The page.
pub(super) fn page(report: &Report) -> String {
    let mut page = format!("{}\n\n", heading(report));
    let width = report.findings.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
    for finding in &report.findings {
        line(&mut page, finding, width);
    }
    page
}

/// `fleetwright in eu-central-1: 1 of 15 checks is wrong`.
fn heading(report: &Report) -> String {
    let all = report.findings.len() as u64;
    let verdict = match report.troubles() {
        (0, 0) => style(format!("all {} are ok", plural(all, "check"))).green(),
        (0, unchecked) => {
            style(format!("{unchecked} of {} could not be made", plural(all, "check"))).yellow()
        }
        (wrong, unchecked) => {
            let verb = if wrong == 1 { "is" } else { "are" };
            let rest =
                if unchecked == 0 { String::new() } else { format!(", {unchecked} could not be made") };
            style(format!("{wrong} of {} {verb} wrong{rest}", plural(all, "check"))).red()
        }
    };
    let stack = style(text::cut(&report.stack, WIDTH)).bold();
    format!("{stack} in {}: {}", report.region, verdict.bold())
}

fn line(page: &mut String, finding: &Finding, width: usize) {
    let state = style(format!("{:STATE_CHARS$}", finding.state.word()));
    let state = match finding.state {
        State::Ok => state.green(),
        State::Wrong { .. } => state.red().bold(),
        State::Unchecked => state.yellow(),
    };
    let left = width + STATE_CHARS + 4;
    for (at, piece) in text::wrap(&finding.found, WIDTH - left).iter().enumerate() {
        if at == 0 {
            let _ = writeln!(page, "{:width$}  {state}  {piece}", finding.check);
        } else {
            let _ = writeln!(page, "{:left$}{piece}", "");
        }
    }
    if let State::Wrong { breaks, mend } = &finding.state {
        labelled(page, "breaks", breaks);
        for (at, way) in mend.lines().enumerate() {
            let label = if at == 0 { "mend" } else { "" };
            // A command that is to be copied is never broken.
            if way.starts_with("aws ") {
                let _ = writeln!(page, "{INDENT}{label:LABEL_CHARS$}{way}");
            } else {
                labelled(page, label, way);
            }
        }
    }
}

fn labelled(page: &mut String, label: &str, words: &str) {
    for (at, piece) in text::wrap(words, WIDTH - INDENT.len() - LABEL_CHARS).iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        let _ = writeln!(page, "{INDENT}{label:LABEL_CHARS$}{piece}");
    }
}
