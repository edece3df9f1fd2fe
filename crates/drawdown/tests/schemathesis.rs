//! The API against its own description: valid OpenAPI 3.1, and whatever a machine makes of it is answered as it says.
//!
//! The requests are those of a fixed seed: every parameter and field at its limits and beyond, and some at random.

#[path = "common/client.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod client;
#[path = "common/guarded.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod guarded;
#[path = "common/process.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod process;

use std::process::Output;

use drawdown_testkit::python::API_TESTS;
use guarded::{Guarded, furnish};

/// What holds for every run. Streams never end; whoever fails too often is answered 429 instead of 401, and
/// `tests/live/scopes.rs` looks at that. A description cannot say every rule: what fits it may be refused with 422, but not
/// with 400. A service that is not there yet (503) is no failure. The deck that prices calls stays in force.
const SETTINGS: &str = r#"
continue-on-failure = true
request-timeout = 20.0
warnings = false
workers = 1

[checks]
ignored_auth.enabled = false
missing_required_header.enabled = false
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429, 431, 503]
positive_data_acceptance.expected-statuses = ["2xx", 404, 409, 412, 422, 429, 503]

[[operations]]
include-path-regex = "/stream$"
enabled = false

[[operations]]
include-name = "DELETE /v1/decks/{id}/{version}"
parameters = { "path.id" = "not-published" }
"#;

/// Names of what is there, so that requests come beyond the first question; the account stays open.
const KNOWN: &str = r#"
[[operations]]
include-name = "DELETE /v1/accounts/{org}"
enabled = false

[[operations]]
include-path-regex = "/calls/"
parameters = { "path.id" = "call-of-contoso" }

[[operations]]
include-path-regex = "/diff$"
parameters = { "path.id" = "acs-pstn" }

[parameters]
"path.org" = "contoso"
"path.user" = "u1"
"path.lot" = "L1"
"path.number" = "1"
"query.plan" = "standard"
"query.number" = "+442071838750"
"#;

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Asks a server all that its description allows, and much that it does not.
fn ask_everything(name: &str, settings: &str) {
    let pipeline = Guarded::new();
    let key = pipeline.key("admin", None);
    let (mut process, mut client) = pipeline.start();
    client.key = Some(key.clone());
    furnish(&client, "contoso");
    let config = pipeline.path("schemathesis.toml");
    std::fs::write(&config, settings).expect("it can be written");
    let output = API_TESTS
        .program("schemathesis")
        .current_dir(pipeline.path(""))
        .arg("--config-file")
        .arg(&config)
        .args(["run", "--no-color", "--phases", "coverage,fuzzing", "--max-examples", "20", "--seed", "20261127"])
        .args(["--no-shrink", "--header", &format!("Authorization: Bearer {key}")])
        .arg(format!("{}/openapi.json", client.base))
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{name}: {}\n{}", output.status, shown(&output));
    assert!(process.is_alive(), "{name}");
    assert_eq!(client.get("/healthz").status, 200, "{name}");
    // And it still does its work.
    furnish(&client, "afterwards");
    process.stop();
}

#[test]
fn the_description_is_valid() {
    if !API_TESTS.runs_here() {
        return;
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    let description = drawdown_api::openapi::document("0.0.0").to_string();
    std::fs::write(file.path(), description).expect("it can be written");
    let output = API_TESTS
        .program("openapi-spec-validator")
        .args(["--schema", "3.1", "--validation-errors", "all"])
        .arg(file.path())
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", shown(&output));
}

#[test]
fn answers_about_what_is_there_are_as_described() {
    if API_TESTS.runs_here() {
        ask_everything("known", &format!("{SETTINGS}{KNOWN}"));
    }
}

#[test]
fn answers_about_anything_are_as_described() {
    if API_TESTS.runs_here() {
        ask_everything("unknown", SETTINGS);
    }
}
