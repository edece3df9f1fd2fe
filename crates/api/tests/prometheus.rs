//! Rules and dashboard against a real Prometheus that scrapes a live server: every panel shows something, and every
//! query and alert is answered. Without Prometheus it says so; where CI is set, it fails.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test, whose helpers are outside of test functions")]

#[path = "prometheus/dashboard.rs"]
mod dashboard;
#[path = "prometheus/live.rs"]
mod live;
#[path = "prometheus/process.rs"]
mod process;
#[path = "prometheus/served.rs"]
mod served;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use drawdown_api::names::{self, Kind};

/// A directory or file of `deploy`.
fn deployed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path)
}

fn rules() -> String {
    std::fs::read_to_string(deployed("prometheus/drawdown.rules.yml")).unwrap()
}

/// Whether the tools are there; if not, that is said, and in CI it is a failure.
fn is_there(tool: &str) -> bool {
    let is_there = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        assert!(std::env::var_os("CI").is_none(), "{tool} is not installed: apt-get install prometheus");
        eprintln!("{tool} is not installed (apt-get install prometheus): NOT CHECKED");
    }
    is_there
}

fn promtool(arguments: &[&str]) {
    let output =
        Command::new("promtool").args(arguments).current_dir(deployed("prometheus")).output().expect("promtool runs");
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
}

#[test]
fn the_rules_are_right_and_every_alert_fires_when_it_should() {
    if is_there("promtool") {
        promtool(&["check", "rules", "drawdown.rules.yml"]);
        promtool(&["test", "rules", "drawdown.rules.test.yml"]);
    }
    let tests = std::fs::read_to_string(deployed("prometheus/drawdown.rules.test.yml")).unwrap();
    for alert in values_of(&rules(), "- alert: ") {
        assert_eq!(tests.matches(&format!("alertname: {alert}, exp_alerts: []")).count(), 1, "{alert} is quiet");
        assert_eq!(tests.matches(&format!("alertname: {alert}\n        exp_alerts:\n")).count(), 1, "{alert} fires");
    }
}

/// What follows `key` on each line that has it.
fn values_of<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix(key)).collect()
}

#[test]
fn no_query_names_a_metric_that_does_not_exist() {
    let mut known = BTreeSet::from(["up".to_owned()]);
    for metric in names::ALL {
        let name = metric.name.to_owned();
        match metric.kind {
            Kind::Histogram(_) => known.extend(["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}"))),
            Kind::Counter | Kind::Gauge => drop(known.insert(name)),
        }
    }
    let rules = rules();
    let alerts = values_of(&rules, "expr: ").into_iter().map(str::to_owned);
    for query in dashboard::panels().into_iter().flat_map(|panel| panel.queries).chain(alerts) {
        for name in dashboard::metrics_of(&query) {
            assert!(known.contains(&name) || name.starts_with("job:"), "{name} in {query}");
        }
    }
}

#[test]
fn every_metric_is_on_the_dashboard_or_in_a_rule() {
    let dashboard: String = dashboard::panels().into_iter().flat_map(|panel| panel.queries).collect();
    let all = dashboard + &rules();
    for metric in names::ALL {
        assert!(all.contains(metric.name), "{}", metric.name);
    }
}

#[test]
fn every_panel_shows_something_and_every_alert_is_answered() {
    if !is_there("prometheus") {
        return;
    }
    let live = live::Live::start();
    let prometheus = process::Prometheus::start(live.address(), &deployed("prometheus/drawdown.rules.yml"));
    let panels = dashboard::panels();
    assert!(panels.len() > 20, "{}", panels.len());
    // Rates need two scrapes; the live server goes on counting meanwhile.
    let mut waiting: Vec<String> = panels.iter().flat_map(|panel| panel.queries.clone()).collect();
    let is_empty = |query: &String| prometheus.query(&dashboard::resolved(query)) == 0;
    prometheus.wait_until("every panel shows something", || {
        waiting.retain(is_empty);
        if waiting.is_empty() { Ok(()) } else { Err(format!("no data for {waiting:#?}")) }
    });
    let rules = rules();
    for expression in values_of(&rules, "expr: ") {
        prometheus.query(expression);
    }
    prometheus.wait_until("every rule was evaluated", || prometheus.rules_evaluated());
}
