//! What several of these tests need: small runbooks, and short ways to look into them.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use fleetwright_runbook::{Code, Diagnostic, Portability, Position, Runbook, Severity, parse, validate};

/// A runbook that has to be accepted.
pub fn accepted(text: &str) -> Runbook {
    parse(text).unwrap_or_else(|diagnostics| panic!("{}\n{text}", shown(&diagnostics)))
}

/// What is wrong with a runbook that has to be refused.
pub fn refused(text: &str) -> Vec<Diagnostic> {
    match parse(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(diagnostics) => diagnostics,
    }
}

/// The code and place of everything that is wrong.
pub fn places(diagnostics: &[Diagnostic]) -> Vec<(Code, u32, u32)> {
    let place = |diagnostic: &Diagnostic| {
        let Position { line, column } = diagnostic.position;
        (diagnostic.code, line, column)
    };
    diagnostics.iter().map(place).collect()
}

/// The code and place of everything that is said of a runbook, errors and warnings.
pub fn said(text: &str, portability: Portability) -> Vec<(Code, u32, u32)> {
    places(&validate(text, portability).diagnostics)
}

/// Diagnostics as lines.
pub fn shown(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| format!("{diagnostic}\n")).collect()
}

/// A runbook of these steps. They begin in line 4, and `step` is written without indentation.
pub fn steps(steps: &[&str]) -> String {
    let mut text =
        "schemaVersion: '0.3'\nparameters: { Wait: { type: Integer, default: 3 } }\nmainSteps:\n".to_owned();
    for step in steps {
        for (at, line) in step.lines().enumerate() {
            text.push_str(if at == 0 { "- " } else { "  " });
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// A step that does nothing.
pub const PAUSE: &str = "name: pause\naction: aws:pause\ninputs: {}";

/// A step that asks somebody, and has outputs.
pub const ASK: &str = "name: ask\naction: aws:invokeWebhook\ninputs: { IntegrationName: x }";

/// Everything that is said of a runbook; reading it says the same.
pub fn diagnostics(text: &str) -> Vec<Diagnostic> {
    let validation = validate(text, Portability::Here);
    let parsed = parse(text);
    assert_eq!(parsed.is_ok(), validation.is_valid(), "they agree:\n{text}");
    let errors: Vec<Diagnostic> =
        validation.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
    assert_eq!(parsed.err().unwrap_or_default(), errors, "they say the same:\n{text}");
    validation.diagnostics
}

/// Everything that is wrong with a runbook.
pub fn errors(text: &str) -> Vec<Diagnostic> {
    diagnostics(text).into_iter().filter(|d| d.severity == Severity::Error).collect()
}
