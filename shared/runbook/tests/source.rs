//! YAML and JSON: what is read, what is refused, and where.

mod common;

use common::{accepted, places, refused, steps};
use fleetwright_runbook::{Code, TEXT_BYTES_MAX};

#[test]
fn json_is_read_with_tabs_and_surrogate_pairs() {
    let text = "{\n\t\"schemaVersion\": \"0.3\",\n\t\"description\": \"go \\ud83d\\ude80\",\n\t\"mainSteps\": [\n\t\t{ \"name\": \"a\", \"action\": \"aws:pause\", \"inputs\": {} }\n\t]\n}";
    let runbook = accepted(text);
    assert_eq!(runbook.description.as_deref(), Some("go 🚀"));
    let position = runbook.first().position;
    assert_eq!((position.line, position.column), (5, 3));
}

#[test]
fn nearly_json_is_read_as_yaml() {
    accepted("{ schemaVersion: '0.3', mainSteps: [ { name: a, action: 'aws:pause', inputs: {}, }, ], }");
}

#[test]
fn a_byte_order_mark_and_windows_lines_are_no_obstacle() {
    let text = steps(&[common::PAUSE]).replace('\n', "\r\n");
    accepted(&format!("\u{feff}{text}"));
}

#[test]
fn braces_may_close_left_of_their_block() {
    let step = "name: a\naction: aws:pause\ninputs:\n  Deep:\n    Er: {\n    \"x\": 1,\n  plain: [ 2,\n  3 ]\n    }\nisEnd: no";
    let diagnostics = refused(&steps(&[step]));
    // The lines that were moved for the parser are counted as they stand.
    assert_eq!(places(&diagnostics), [(Code::WrongType, 13, 10)]);
}

#[test]
fn anchors_stand_for_what_they_name() {
    let runbook = accepted(&steps(&[
        "name: a\naction: aws:pause\ntimeoutSeconds: &wait 60\ninputs: {}",
        "name: b\naction: aws:pause\ntimeoutSeconds: *wait\ninputs: {}",
    ]));
    assert_eq!(runbook.step("b").map(|step| &step.timeout_seconds), Some(&runbook.first().timeout_seconds));
    assert!(runbook.first().timeout_seconds.is_some());
}

#[test]
fn aliases_of_aliases_are_bounded() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(refused(&text)[0].code, Code::TooManyAliases);
    assert_eq!(refused("a: &a [ *a ]")[0].code, Code::Syntax);
}

#[test]
fn depth_and_length_are_bounded() {
    for text in ["[".repeat(5_000), "- ".repeat(5_000), format!("{}1{}", "[".repeat(100), "]".repeat(100))] {
        assert_eq!(refused(&text)[0].code, Code::TooDeep);
    }
    let at_most = format!("{}#{}", steps(&[common::PAUSE]), "x".repeat(TEXT_BYTES_MAX));
    accepted(&at_most[..TEXT_BYTES_MAX]);
    assert_eq!(places(&refused(&at_most[..=TEXT_BYTES_MAX])), [(Code::TooLarge, 1, 1)]);
}

#[test]
fn duplicate_keys_are_reported_in_yaml_and_json() {
    let yaml = steps(&["name: a\naction: aws:pause\ninputs: { A: 1, A: 2 }\nname: b"]);
    assert_eq!(places(&refused(&yaml)), [(Code::DuplicateKey, 6, 19), (Code::DuplicateKey, 7, 3)]);
    let json = "{\"schemaVersion\":\"0.3\",\n\"mainSteps\":[{\"name\":\"a\",\"action\":\"aws:pause\"}],\n\"mainSteps\":[]}";
    assert_eq!(places(&refused(json)), [(Code::DuplicateKey, 3, 1)]);
}

#[test]
fn an_unquoted_reference_gets_a_hint() {
    let diagnostics = refused(&steps(&["name: a\naction: aws:sleep\ninputs:\n  Duration: {{ Wait }}"]));
    assert_eq!(diagnostics[0].code, Code::Syntax);
    assert!(diagnostics[0].hint.as_deref().is_some_and(|hint| hint.contains("quotes")), "{diagnostics:?}");
}

#[test]
fn what_is_no_document_says_so() {
    let table = [
        ("", Code::NotAMapping),
        ("# nothing", Code::NotAMapping),
        ("text", Code::NotAMapping),
        ("[1]", Code::NotAMapping),
        ("{ \"a\": ", Code::Syntax),
        ("a: 'b", Code::Syntax),
        ("a: 1\n---\nb: 2", Code::Syntax),
        ("a: *nowhere", Code::Syntax),
    ];
    for (text, code) in table {
        assert_eq!(refused(text)[0].code, code, "{text:?}");
    }
}

/// Whatever stands in a file, it is read or refused, and never a panic.
#[test]
fn no_text_makes_it_panic() {
    const ROUNDS: usize = 4_000;
    const LETTERS: &[u8] = b"{}[]:,-&*!|>'\"%#?@`~ \t\n\r.0aA\\\x00\xc3\xa9";
    let sample =
        steps(&[common::PAUSE, "name: b\naction: aws:sleep\ninputs: { Duration: \"PT{{ Wait }}S\" }"]);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("small")
    };
    for _ in 0..ROUNDS {
        let mut bytes = sample.clone().into_bytes();
        for _ in 0..=draw(6) {
            let at = draw(bytes.len());
            match draw(4) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] = LETTERS[draw(LETTERS.len())],
                2 => bytes.insert(at, LETTERS[draw(LETTERS.len())]),
                _ => {
                    let piece = bytes[at..(at + draw(40)).min(bytes.len())].to_vec();
                    let to = draw(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
        }
        drop(fleetwright_runbook::parse(&String::from_utf8_lossy(&bytes)));
    }
}

/// The longest texts of the worst shapes: none of them may take more than a moment.
#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
fn no_text_takes_long() {
    let lines = |line: &str| line.repeat(TEXT_BYTES_MAX / line.len());
    let targets =
        |line: &str| format!("schemaVersion: '0.3'\nmainSteps:\n{}", lines(line).split_at(65_000).0);
    let mut texts: Vec<String> = [
        "[", "{", "- ", "? ", "a: ", "\"", "'", "&a ", "!", "#", "{{", "\t", "a\n", "- a\n", "{}\n", "[a,\n",
    ]
    .iter()
    .map(|line| lines(line))
    .collect();
    texts.push(format!("a:\n  b: {{\n{}", lines("a,\n").split_at(65_000).0));
    texts.push(format!("a: \"{}\"", "{{".repeat(32_000)));
    texts.push(targets("- {name: a, action: aws:pause, nextStep: b}\n"));
    texts.push((0..1_200).fold("schemaVersion: '0.3'\nmainSteps:\n".to_owned(), |text, at| {
        text + &format!("- {{name: {at}, action: 'aws:aaa', nextStep: 0}}\n")
    }));
    texts.push((0..900).fold("schemaVersion: '0.3'\nmainSteps:\n".to_owned(), |text, at| {
        text + &format!("- {{name: stepnumber{at}, action: 'aws:pause', nextStep: othername{at}}}\n")
    }));
    for text in texts {
        let begun = std::time::Instant::now();
        drop(fleetwright_runbook::parse(&text));
        let took = begun.elapsed();
        println!("{took:?} {:?}", text.chars().take(60).collect::<String>());
        assert!(took.as_secs() < 5, "{took:?} for {:?}", text.chars().take(60).collect::<String>());
    }
}
