//! What a server refuses, as a person reads it: one line that says what, of which field, by which rule, and what to do.

use serde::Deserialize;

use super::send::Answer;
use crate::exit::Failure;

/// How much of an answer is shown that is no problem document.
const SHOWN_MAX: usize = 200;

/// A problem document, as RFC 9457 has it.
#[derive(Debug, Deserialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    #[serde(default)]
    detail: String,
    field: Option<String>,
    rule: Option<String>,
}

impl Problem {
    fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    fn name(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }

    fn line(&self, has_key: bool) -> String {
        let mut line = self.title.clone();
        if let Some(field) = &self.field {
            line.push_str(&format!(": {field}"));
        }
        let detail = match self.name() {
            "unauthenticated" if has_key => "the key is none that counts here",
            "unauthenticated" => "the server asks for a key",
            _ => &self.detail,
        };
        line.push_str(&format!(": {detail}"));
        if let Some(rule) = self.rule.as_deref().filter(|rule| *rule != self.name()) {
            line.push_str(&format!(" (rule {rule})"));
        }
        match self.name() {
            "unauthenticated" => line.push_str("; give one in DRAWDOWN_API_KEY, or the file that it is in: --key-file"),
            "unknown-account" => line.push_str("; `drawdown account list` shows which there are"),
            _ => {}
        }
        line
    }
}

/// What kind of problem an answer is, if it is one: the name.
pub(super) fn kind(body: &[u8]) -> Option<String> {
    Problem::read(body).map(|problem| problem.name().to_owned())
}

/// What to do where it is not known whether a change was made.
pub(super) fn repeat(idempotency_key: &str) -> String {
    format!("whether it was done is not known: repeat it with --idempotency-key {idempotency_key}, and it is done once")
}

/// An answer that is none of those that were hoped for. What whoever asks can mend is a wrong use, all else a fault.
pub(super) fn failure(answer: &Answer, base: &str, has_key: bool, idempotency_key: Option<&str>) -> Failure {
    let status = answer.status;
    let problem = Problem::read(&answer.body);
    let is_underway = problem.as_ref().is_some_and(|problem| problem.name() == "request-underway");
    let mut line = match &problem {
        Some(problem) => problem.line(has_key),
        None => format!("{base}: answered {status}, and not as drawdown's server does{}", said(&answer.body)),
    };
    if let Some(key) = idempotency_key.filter(|_| is_underway || status >= 500) {
        line.push_str(&format!("; {}", repeat(key)));
    }
    // What comes from elsewhere shall not steer a terminal.
    let line = line.replace(char::is_control, " ");
    match status {
        400..=499 if problem.is_some() && !is_underway && !matches!(status, 408 | 429) => Failure::usage(line),
        _ => Failure::Fault(anyhow::anyhow!("{line}")),
    }
}

fn said(body: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(body).trim().chars().take(SHOWN_MAX).collect();
    if text.is_empty() { text } else { format!(": {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(body: &str) -> String {
        Problem::read(body.as_bytes()).expect("a problem").line(true)
    }

    #[test]
    fn a_problem_is_one_line() {
        let refused = r#"{"type":"/problems/refused","title":"Refused","status":409,"detail":"lot \"L1\" is there already",
            "rule":"lot-exists"}"#;
        assert_eq!(line(refused), "Refused: lot \"L1\" is there already (rule lot-exists)");
        let missing = r#"{"type":"/problems/missing-field","title":"Missing field","status":422,"detail":"is required",
            "field":"amount","rule":"missing-field"}"#;
        assert_eq!(line(missing), "Missing field: amount: is required");
        let unknown =
            r#"{"type":"/problems/unauthenticated","title":"Unauthenticated","detail":"Authorization: Bearer …"}"#;
        assert!(
            line(unknown)
                .starts_with("Unauthenticated: the key is none that counts here; give one in DRAWDOWN_API_KEY")
        );
    }
}
