//! The dashboard, as far as its queries are concerned.

use serde_json::Value;

/// A panel and what it asks.
pub struct Panel {
    pub queries: Vec<String>,
}

pub fn panels() -> Vec<Panel> {
    let text = std::fs::read_to_string(super::deployed("grafana/drawdown.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let with_queries = panels.iter().filter(|panel| panel["type"] != "row");
    with_queries
        .map(|panel| {
            let title = panel["title"].as_str().unwrap();
            assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()), "{title}");
            let targets = panel["targets"].as_array().unwrap();
            assert!(!targets.is_empty(), "{title}");
            let query = |target: &Value| {
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
                target["expr"].as_str().unwrap().to_owned()
            };
            Panel { queries: targets.iter().map(query).collect() }
        })
        .collect()
}

/// A query with Grafana's variables filled in.
pub fn resolved(query: &str) -> String {
    query.replace("$__rate_interval", "30s").replace("$instance", ".*")
}

/// The metrics that a query names: words that are followed by neither a parenthesis nor an operator of labels, and are
/// no labels themselves.
pub fn metrics_of(query: &str) -> Vec<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let bare = without_labels(query);
    let words = bare.split(|c: char| !is_word(c));
    words.filter(|word| word.starts_with("drawdown_") || word.starts_with("process_")).map(str::to_owned).collect()
}

/// Leaves out what is between braces: labels and their values.
fn without_labels(query: &str) -> String {
    let mut depth = 0;
    let outside = query.chars().filter(|c| {
        depth += i32::from(*c == '{') - i32::from(*c == '}');
        depth == 0 && *c != '}'
    });
    outside.collect()
}
