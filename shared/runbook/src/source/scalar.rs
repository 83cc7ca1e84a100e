use serde_json::Number;

use super::node::Content;

/// Types a plain scalar by the YAML 1.2 core schema (chapter 10.3.2).
///
/// `yes`, `no`, `on` and `off` are text, and so is a date: that is where the core schema differs from YAML 1.1.
pub(crate) fn plain(text: &str) -> Content {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "true" | "True" | "TRUE" => Content::Bool(true),
        "false" | "False" | "FALSE" => Content::Bool(false),
        _ => match integer(text).or_else(|| float(text)) {
            Some(number) => Content::Number(number),
            None => Content::Text(text.to_owned()),
        },
    }
}

fn integer(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        return unsigned(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return unsigned(digits, 8);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
}

fn unsigned(digits: &str, radix: u32) -> Option<Number> {
    // from_str_radix would take a sign here; the core schema does not.
    let well_formed = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    well_formed.then(|| u64::from_str_radix(digits, radix).ok()).flatten().map(Number::from)
}

/// Infinities and NaN have no JSON form, and every value ends as JSON: they stay text.
fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts_well = unsigned.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.');
    let well_formed =
        unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-' | b'+'));
    if !starts_well || !well_formed || !unsigned.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let table: &[(&str, Value)] = &[
            ("", Value::Null),
            ("~", Value::Null),
            ("Null", Value::Null),
            ("true", json!(true)),
            ("FALSE", json!(false)),
            ("yes", json!("yes")),
            ("off", json!("off")),
            ("7", json!(7)),
            ("-12", json!(-12)),
            ("+3", json!(3)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("0x-1", json!("0x-1")),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("1e3", json!(1000.0)),
            (".", json!(".")),
            (".inf", json!(".inf")),
            ("nan", json!("nan")),
            ("1.2.3", json!("1.2.3")),
            ("2020-01-01", json!("2020-01-01")),
            ("18446744073709551615", json!(u64::MAX)),
            ("10%", json!("10%")),
        ];
        for (text, expected) in table {
            let got = match plain(text) {
                Content::Null => Value::Null,
                Content::Bool(flag) => flag.into(),
                Content::Number(number) => number.into(),
                Content::Text(text) => text.into(),
                Content::List(_) | Content::Map(_) => unreachable!("a scalar is not a collection"),
            };
            assert_eq!(&got, expected, "{text:?}");
        }
    }
}
