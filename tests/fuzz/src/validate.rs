//! Whatever bytes arrive as a runbook: they are answered, and the answers agree with one another.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use fleetwright_runbook::{Diagnostic, Portability, Runbook, Severity, bind, parse, validate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: catch_stack_overflow(), |bytes: &[u8]| check(&String::from_utf8_lossy(bytes)));

fn check(text: &str) {
    let portable = validate(text, Portability::Portable);
    let here = validate(text, Portability::Here);
    let parsed = parse(text);
    assert_eq!(parsed.is_ok(), portable.is_valid(), "parse and validate agree");
    assert_eq!(here.runbook, portable.runbook, "whom it is to run on changes warnings, not what it means");
    assert_eq!(parsed.as_ref().ok(), portable.runbook.as_ref(), "parse and validate read the same");
    if let Err(diagnostics) = &parsed {
        check_diagnostics(text, diagnostics, false);
    }
    for validation in [&portable, &here] {
        check_diagnostics(text, &validation.diagnostics, validation.is_valid());
    }
    if let Ok(runbook) = &parsed {
        check_runbook(runbook);
    }
}

/// An invalid text has an error, a valid one none, and each points at a place somebody can look at.
fn check_diagnostics(text: &str, diagnostics: &[Diagnostic], is_valid: bool) {
    let has_error = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    assert_ne!(is_valid, has_error, "invalid means an error: {diagnostics:?}");
    let lines = lines(text);
    for diagnostic in diagnostics {
        let position = diagnostic.position;
        assert!((1..=lines + 1).contains(&position.line), "{diagnostic} is one of {lines} lines");
        assert!(position.column >= 1, "{diagnostic} has a column");
        assert!(!diagnostic.message.is_empty(), "{diagnostic:?} says something");
    }
}

/// YAML ends lines with a carriage return alone, too.
fn lines(text: &str) -> u32 {
    let ends = text.bytes().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    u32::try_from(ends + 1).expect("a text of a few kilobytes")
}

/// What is asked of a valid runbook before and while it runs.
fn check_runbook(runbook: &Runbook) {
    let nothing: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let _ = bind(runbook, &nothing);
    let each = |text: &str| -> BTreeMap<String, Vec<String>> {
        let given = |name: String| (name, vec![text.to_owned()]);
        runbook.parameters.iter().map(|parameter| given(parameter.name.to_string())).collect()
    };
    for text in ["", "1", "a b", "[{}]"] {
        let _ = bind(runbook, &each(text));
    }
    let steps = runbook.all_steps();
    let names: BTreeSet<_> = steps.iter().map(|step| &step.name).collect();
    assert_eq!(names.len(), steps.len(), "a name is one step's");
    assert!(names.contains(&runbook.first().name));
    for step in steps {
        assert_eq!(runbook.step(step.name.as_str()), Some(step), "a step is found by its name");
        for successor in runbook.successors(&step.name) {
            assert!(names.contains(successor), "{} goes on to {successor}, which exists", step.name);
        }
        let _ = runbook.outputs_read(&step.name);
        let _ = runbook.loops_around(&step.name);
    }
    let _ = runbook.references().count();
}

/// Hash maps take their seed from here: with the same one each time, a run is a function of its own seed.
///
/// # Safety
/// As getrandom(2): `buffer` points to `length` bytes to write to.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut u8, length: usize, _flags: u32) -> isize {
    // SAFETY: the caller says so.
    unsafe { buffer.write_bytes(7, length) };
    length.cast_signed()
}

/// Gives libFuzzer's signal handler a stack of its own: without one it cannot say what input used up the stack.
/// It handles a signal there if that was asked for before.
fn catch_stack_overflow() {
    const BYTES: usize = 1 << 18;
    let memory: &'static mut [u8] = Box::leak(vec![0; BYTES].into_boxed_slice());
    let stack = libc::stack_t { ss_sp: memory.as_mut_ptr().cast(), ss_flags: 0, ss_size: BYTES };
    // SAFETY: the memory is as long as it says and is never freed; a zeroed sigaction is the default one.
    unsafe {
        assert_eq!(libc::sigaltstack(&raw const stack, std::ptr::null_mut()), 0, "a signal stack");
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_flags = libc::SA_ONSTACK;
        for signal in [libc::SIGSEGV, libc::SIGBUS] {
            assert_eq!(libc::sigaction(signal, &raw const action, std::ptr::null_mut()), 0, "a signal");
        }
    }
}
