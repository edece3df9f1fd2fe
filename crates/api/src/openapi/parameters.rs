//! The parameters of the endpoints: in the path, in the query, in headers.

use drawdown_wire::source::Profile;
use serde_json::{Value, json};

use crate::routes::Endpoint;
use crate::routes::object::TEXT_LENGTH_MAX;

/// A version of a deck, or a number of seconds.
const WHOLE_MAX: u32 = u32::MAX;

/// All of an endpoint's.
pub(super) fn of(endpoint: &Endpoint) -> Vec<Value> {
    let in_path = endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path =
        in_path.map(|name| json!({"name": name, "in": "path", "required": true, "schema": in_path_schema(name)}));
    let in_query = endpoint.query.iter().map(|(name, what)| {
        let (name, is_required) = name.strip_prefix('!').map_or((*name, false), |name| (name, true));
        json!({"name": name, "in": "query", "required": is_required, "description": what,
            "schema": in_query(endpoint, name)})
    });
    let mut parameters: Vec<Value> = in_path.chain(in_query).collect();
    if endpoint.is_idempotent_by_key() {
        parameters.push(json!({"name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Under one key a write is done once, and answered the same. None begins with `settle/`.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}}));
    }
    if is_setting(endpoint) {
        parameters.push(json!({"name": "If-Match", "in": "header", "required": false,
            "description": "The ETag of the settings that are to be changed.", "schema": {"type": "string"}}));
    }
    if endpoint.path.ends_with("/stream") {
        parameters.push(json!({"name": "Last-Event-ID", "in": "header", "required": false,
            "description": "The id of the last event that arrived.", "schema": {"type": "string"}}));
    }
    parameters
}

/// Whether it changes settings that are shown with an `ETag`.
pub(super) fn is_setting(endpoint: &Endpoint) -> bool {
    is_tagged(endpoint) && endpoint.method == "PUT"
}

/// Whether it is about settings that are shown with an `ETag`.
pub(super) fn is_tagged(endpoint: &Endpoint) -> bool {
    endpoint.path.ends_with("/auto-recharge") || endpoint.path.ends_with("/payment-method")
}

fn in_path_schema(name: &str) -> Value {
    match name {
        "version" => version(),
        _ => json!({"type": "string", "minLength": 1, "maxLength": TEXT_LENGTH_MAX}),
    }
}

fn version() -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": WHOLE_MAX})
}

fn in_query(endpoint: &Endpoint, name: &str) -> Value {
    match name {
        "limit" => json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
        "seconds" => json!({"type": "integer", "minimum": 0, "maximum": WHOLE_MAX, "default": 60}),
        "from" | "to" if endpoint.path.ends_with("/diff") => version(),
        "from" | "to" => {
            json!({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]})
        }
        "at" => json!({"type": "string", "format": "date-time"}),
        "month" => json!({"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"}),
        "format" => json!({"type": "string", "enum": ["csv", "xlsx"], "default": "csv"}),
        // Settings of the profile may follow its name.
        "source" if endpoint.path == "/v1/cdrs" => {
            let names: Vec<&str> = Profile::names().collect();
            json!({"type": "string", "pattern": format!("^({})(,.*)?$", names.join("|")), "default": "native"})
        }
        "plan" | "number" => json!({"type": "string", "minLength": 1}),
        _ => json!({"type": "string"}),
    }
}
