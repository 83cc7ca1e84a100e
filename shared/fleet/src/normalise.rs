//! Outputs of many nodes made comparable: what differs from node to node, or from run to run, becomes a placeholder.

use crate::NodeId;
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::LazyLock;

/// What is replaced, in this order, and by what. Placeholders hold no digit, so no rule sees another one's.
const RULES: [(&str, &str); 14] = [
    // Colours and cursor movements (ECMA-48 control sequences), and titles (operating system commands).
    (r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)", ""),
    (r"\r+\n", "\n"),
    // What a bar of progress wrote over.
    (r"(?m)^[^\n]*\r", ""),
    (r"(?m)[ \t]+$", ""),
    // EC2's private names of nodes (Amazon EC2 User Guide, hostname types), with their domain.
    (r"\b(?i:ip-(?:\d{1,3}-){3}\d{1,3}(?:\.[a-z0-9-]+)*)\b", "<host>"),
    (r"\bm?i-(?:[0-9a-f]{17}|[0-9a-f]{8})\b", "<node>"),
    (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "<uuid>"),
    // Hardware addresses, before their pairs of digits look like a time.
    (r"\b(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}\b", "<address>"),
    // ISO 8601, with `T` or a blank between; then what syslog writes, `Nov  3 07:01:02`, and a time of the day alone.
    (
        r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?(?:Z\b|UTC\b|[+-]\d{2}:?\d{2}\b))?)?",
        "<time>",
    ),
    (
        r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2}(?: \d{4})? \d{2}:\d{2}:\d{2}(?:[.,]\d+)?",
        "<time>",
    ),
    (r"\b\d{2}:\d{2}:\d{2}(?:[.,]\d+)?\b", "<time>"),
    (
        r"(?:/var/tmp|/tmp|/private/var/folders)/[^\s'\x22:;,)]+|(?i)[a-z]:\\(?:[^\\\s]+\\)*temp\\[^\s'\x22;,)]+",
        "<temp>",
    ),
    // A process, as syslog names it: `sshd[1234]`.
    (r"\[\d+\]", "[<pid>]"),
    // A number with the unit of a time right behind it, or with a blank between.
    (
        r"\b\d+(?:\.\d+)?(?: ?(?:ns|µs|us|ms|s|secs?|seconds?|mins?|minutes?|hrs?|hours?)|[mh](?:\d+(?:\.\d+)?[ms])+)\b",
        "<duration>",
    ),
];

/// Addresses, and digests and other long numbers in hexadecimal: a pattern alone says too little of them.
const ADDRESS_V4: &str = r"\b(?:\d{1,3}\.){3}\d{1,3}\b";
const ADDRESS_V6: &str = r"[\w.]*:[\w:.]*:[\w:.]*(?:%\w+)?";
const HEXADECIMAL: &str = r"\b(?:0x[0-9a-fA-F]+|[0-9a-fA-F]{12,})\b";

struct Patterns {
    rules: Vec<(Regex, &'static str)>,
    address_v4: Regex,
    address_v6: Regex,
    hexadecimal: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let rule = |(pattern, by): &(&str, &'static str)| Some((Regex::new(pattern).ok()?, *by));
    Some(Patterns {
        rules: RULES.iter().map(rule).collect::<Option<_>>()?,
        address_v4: Regex::new(ADDRESS_V4).ok()?,
        address_v6: Regex::new(ADDRESS_V6).ok()?,
        hexadecimal: Regex::new(HEXADECIMAL).ok()?,
    })
});

/// An output with what is the node's own, or the moment's, replaced: two nodes that said the same say the same here.
///
/// | what | becomes |
/// |---|---|
/// | blanks at the ends of lines, empty lines at the end, `\r\n` | nothing, `\n` |
/// | ANSI escapes, and what a carriage return let be written over | nothing |
/// | the node's own id, and other nodes' | `<node>` |
/// | `ip-10-0-0-1`, `ip-10-0-0-1.ec2.internal` | `<host>` |
/// | IPv4, IPv6 and hardware addresses | `<address>` |
/// | moments of ISO 8601 and syslog, times of the day | `<time>` |
/// | UUIDs | `<uuid>` |
/// | `0x…`, and 12 hexadecimal digits or more, not all of them decimal | `<hex>` |
/// | paths below temporary directories | `<temp>` |
/// | process ids as in `sshd[1234]` | `[<pid>]` |
/// | `1.5s`, `20 ms`, `3 minutes` | `<duration>` |
///
/// All other numbers stay: "3 packages" and "4 packages" are two things to say.
#[must_use]
pub fn normalise(output: &str, node: &NodeId) -> String {
    let Some(patterns) = PATTERNS.as_ref() else { return output.to_owned() };
    let mut text = output.replace(node.as_str(), "<node>");
    for (pattern, by) in &patterns.rules {
        replace(&mut text, pattern, |_| Some((*by).to_owned()));
    }
    text = without_addresses_v4(&text, &patterns.address_v4);
    replace(&mut text, &patterns.address_v6, address);
    replace(&mut text, &patterns.hexadecimal, |found| {
        let is_decimal = found.chars().all(|c| c.is_ascii_digit());
        (!is_decimal).then(|| "<hex>".to_owned())
    });
    text.trim_end().to_owned()
}

fn replace(text: &mut String, pattern: &Regex, by: impl Fn(&str) -> Option<String>) {
    let replaced = pattern
        .replace_all(text, |found: &Captures<'_>| by(&found[0]).unwrap_or_else(|| found[0].to_owned()));
    if let Cow::Owned(replaced) = replaced {
        *text = replaced;
    }
}

/// Four numbers are no address where more of a name stands around them: `nginx-1.18.0.2-3` is a version.
fn without_addresses_v4(text: &str, pattern: &Regex) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut done = 0;
    for found in pattern.find_iter(text) {
        let before = text[..found.start()].ends_with(['-', '.', '+', '~']);
        let mut rest = text[found.end()..].chars();
        let joined = rest.next().is_some_and(|c| "-.+~".contains(c));
        let after = joined && rest.next().is_some_and(char::is_alphanumeric);
        replaced.push_str(&text[done..found.start()]);
        let by = if before || after { None } else { address(found.as_str()) };
        replaced.push_str(by.as_deref().unwrap_or(found.as_str()));
        done = found.end();
    }
    replaced.push_str(&text[done..]);
    replaced
}

/// The placeholder where text really is an address: `1.2.3.400` and `std::io::Error` are none.
fn address(found: &str) -> Option<String> {
    let bare = found.trim_end_matches(['.', ':']);
    // What ends in `::` is an address as it stands; else what follows an address is the sentence's.
    let (text, rest) = if found.ends_with("::") { (found, "") } else { (bare, &found[bare.len()..]) };
    let is_address = text.split('%').next().unwrap_or(text).parse::<IpAddr>().is_ok();
    (is_address && text.contains(|c: char| c.is_ascii_digit())).then(|| format!("<address>{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(output: &str) -> String {
        normalise(output, &"i-0123456789abcdef0".parse().expect("an id"))
    }

    #[test]
    fn what_is_the_nodes_own_or_the_moments_is_replaced() {
        let table = [
            ("done  \t\r\nnext\r\n\r\n", "done\nnext"),
            ("\u{1b}[1;31mred\u{1b}[0m \u{1b}]0;title\u{7}text", "red text"),
            ("on i-0123456789abcdef0: ok", "on <node>: ok"),
            ("10%\r40%\r100%\ndone", "100%\ndone"),
            ("10.0.0.1 10.0.0.2, 10.0.0.3. 10.0.0.4-gone", "<address> <address>, <address>. 10.0.0.4-gone"),
            ("bash 4.4.18.1-2, nginx-1.18.0.2", "bash 4.4.18.1-2, nginx-1.18.0.2"),
            ("peer mi-0fedcba9876543210, old i-1a2b3c4d", "peer <node>, old <node>"),
            ("connect 10.0.12.7:443 failed", "connect <address>:443 failed"),
            (
                "connect to 2001:db8::17: refused, and fe80::1%eth0.",
                "connect to <address>: refused, and <address>.",
            ),
            ("eth0 12:34:56:78:9a:bc up", "eth0 <address> up"),
            ("root@ip-10-0-0-1:~ and ip-10-0-0-2.ec2.internal", "root@<host>:~ and <host>"),
            ("2026-03-14T02:00:30.123Z start", "<time> start"),
            ("2026-03-14 02:00:30,5 +0100 start", "<time> start"),
            ("built on 2026-03-14", "built on <time>"),
            ("Nov  3 07:01:02 web-1", "<time> web-1"),
            ("at 07:01:02 it failed", "at <time> it failed"),
            ("request 8f7c1a52-3a0e-4b8e-9c53-6d2f7a1b0c9d", "request <uuid>"),
            ("sha d41d8cd98f00b204e9800998ecf8427e at 0x7ffd12", "sha <hex> at <hex>"),
            ("sshd[1234]: closed", "sshd[<pid>]: closed"),
            ("cannot write /tmp/tmp.Xa8d9/patch.log: full", "cannot write <temp>: full"),
            (r"C:\Windows\Temp\kb12\setup.exe failed", "<temp> failed"),
            (
                "took 1.53s, then 20 ms, then 3 minutes, in all 4m12s",
                "took <duration>, then <duration>, then <duration>, in all <duration>",
            ),
        ];
        for (output, expected) in table {
            assert_eq!(said(output), expected, "{output:?}");
        }
    }

    #[test]
    fn what_makes_a_difference_stays() {
        for output in [
            "3 packages",
            "kernel 5.10.233-224",
            "version 1.2.3.400",
            "error 404: std::io::Error",
            "fail: deadbeef",
            "20260314021530",
            "exit code 100, 2 systems",
            "/var/lib/rpm is locked",
        ] {
            assert_eq!(said(output), output);
        }
        assert_ne!(said("3 packages"), said("4 packages"));
    }

    #[test]
    fn what_was_replaced_is_not_replaced_again() {
        let once = said("i-0123456789abcdef0 at 10.0.0.1 [77] took 3s, see /tmp/x and ip-10-0-0-1");
        assert_eq!(said(&once), once);
    }
}
