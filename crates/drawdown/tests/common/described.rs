//! Answers held against the description of the API.

use drawdown_api::openapi;
use drawdown_api::routes::Endpoint;
use serde_json::{Value, json};

use crate::client::Answer;

/// The description.
pub struct Description {
    document: Value,
}

impl Description {
    pub fn new() -> Self {
        Description { document: openapi::document("0.0.0") }
    }

    /// Fails where an answer has a status, a media type, a header or a body that the description does not know.
    pub fn check(&self, endpoint: &Endpoint, answer: &Answer) {
        let what = format!("{} {}: {answer:?}", endpoint.method, endpoint.path);
        let operation = &self.document["paths"][endpoint.path][endpoint.method.as_str().to_ascii_lowercase()];
        let mut response = &operation["responses"][answer.status.to_string()];
        if let Some(target) = response["$ref"].as_str() {
            response = self.document.pointer(target.trim_start_matches('#')).expect("it is there");
        }
        assert!(response.is_object(), "a status that is not described: {what}");
        let media = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        let schema = &response["content"][media]["schema"];
        assert!(schema.is_object(), "a media type that is not described: {what}");
        for name in ["etag", "retry-after", "www-authenticate", "location", "idempotency-replayed"] {
            let is_described = response["headers"]
                .as_object()
                .is_some_and(|described| described.keys().any(|described| described.eq_ignore_ascii_case(name)));
            assert!(is_described || answer.header(name).is_none(), "{name} is not described: {what}");
        }
        if media.ends_with("json") {
            let mut schema = schema.clone();
            schema["components"] = json!(self.document["components"]);
            let validator = jsonschema::draft202012::new(&schema).expect("a schema");
            let faults: Vec<String> = validator.iter_errors(&answer.json()).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{faults:?}: {what}");
        }
    }
}
