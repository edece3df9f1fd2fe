//! The description of the API (OpenAPI 3.1), made of the table of endpoints and of the published schemas of the wire.

mod parameters;
mod schemas;

use serde_json::{Map, Value, json};

use crate::routes::{Endpoint, Shape, endpoints};
use schemas::{components, request_schema};

/// The description.
pub fn document(version: &str) -> Value {
    let endpoints = endpoints();
    let mut schemas = components();
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in &endpoints {
        if let Shape::Command(kind) = endpoint.takes {
            schemas.insert(request_name(kind), request_schema(kind, &schemas["AnyCommand"]));
        }
        let item = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        item[endpoint.method.as_str().to_ascii_lowercase()] = operation(endpoint);
    }
    for (path, summary, media) in [
        ("/healthz", "Whether the process lives", "text/plain"),
        ("/readyz", "Whether it has its partitions and their state", "text/plain"),
        ("/metrics", "Metrics for Prometheus", "text/plain"),
    ] {
        let text = json!({"description": summary, "content": {media: {"schema": {"type": "string"}}}});
        paths.insert(
            path.to_owned(),
            json!({"get": {"summary": summary, "operationId": path.trim_start_matches('/'),
            "security": [], "responses": {"200": text, "503": text}}}),
        );
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "drawdown",
            "version": version,
            "summary": "Rates telephone calls and draws down prepaid credits.",
            "description": "Money is a decimal text, times are RFC 3339. A write is answered once it is committed, with \
                the events that it caused, or with 202 and where to look for them. The header `Idempotency-Key` makes \
                a repeated write harmless. Errors are problem documents (RFC 9457).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer",
                "description": "An API key, or a token of the OpenID provider."}},
            "schemas": schemas,
            "responses": {"Problem": problem("What went wrong.", &json!({})),
                "Unauthenticated": problem("Nobody who is known.", &json!({"WWW-Authenticate": header("What to give.")})),
                "Later": problem("Not now.", &json!({"Retry-After": header("After how many seconds to try again."),
                    "Idempotency-Key": header("Of a change that may have been made: the key under which to send it again.")}))},
        },
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn request_name(kind: &str) -> String {
    format!("{}{}", kind[..1].to_ascii_uppercase(), &kind[1..])
}

fn operation(endpoint: &Endpoint) -> Value {
    let (status, gives) = endpoint.gives;
    let mut done = answer(endpoint, gives);
    if parameters::is_tagged(endpoint) && endpoint.method == "GET" {
        done["headers"] = json!({"ETag": header("The mark of the settings as they are.")});
    }
    if endpoint.is_idempotent_by_key() {
        done["headers"] = json!({"Idempotency-Replayed": header("`true` where it had been done before.")});
    }
    let mut responses = json!({status.to_string(): done});
    let writes = endpoint.method != "GET";
    // Said by the connection, before there is a request.
    responses["431"] = json!({"description": "The path or the headers are too long."});
    for status in problems(endpoint) {
        responses[status] = json!({"$ref": format!("#/components/responses/{}", of_problem(status))});
    }
    if gives == Shape::Named("Done") && writes {
        responses["202"] = answer(endpoint, gives);
        responses["202"]["headers"] = json!({"Location": header("Where the outcome will be."),
            "Retry-After": header("After how many seconds to look.")});
    }
    let mut operation = json!({
        "summary": endpoint.summary,
        "operationId": operation_id(endpoint),
        "tags": [endpoint.path.split('/').nth(2).unwrap_or_default()],
        "description": format!("{} Takes the scope `{}`.", endpoint.note, endpoint.scope.name()).trim_start(),
        "parameters": parameters::of(endpoint),
        "responses": responses,
    });
    if let Some(content) = content_taken(endpoint.takes) {
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    operation
}

/// The statuses of what an endpoint refuses.
fn problems(endpoint: &Endpoint) -> Vec<&'static str> {
    let mut problems = vec!["400", "401", "403", "404", "413", "422", "429", "500", "503"];
    if endpoint.method != "GET" {
        problems.extend(["408", "409", "415"]);
    }
    if parameters::is_setting(endpoint) {
        problems.push("412");
    }
    // A command that was refused is answered as it was then.
    if endpoint.path.ends_with("/commands/{id}") {
        problems.push("409");
    }
    problems
}

/// The component that says what comes with a status.
fn of_problem(status: &str) -> &'static str {
    match status {
        "401" => "Unauthenticated",
        "429" | "503" => "Later",
        _ => "Problem",
    }
}

fn problem(description: &str, headers: &Value) -> Value {
    json!({"description": description, "headers": headers,
        "content": {"application/problem+json": {"schema": reference("Problem")}}})
}

fn header(description: &str) -> Value {
    json!({"description": description, "schema": {"type": "string"}})
}

fn operation_id(endpoint: &Endpoint) -> String {
    let path = endpoint.path.replace(['{', '}'], "").replace('/', "_");
    format!("{}{}", endpoint.method.as_str().to_ascii_lowercase(), path)
}

fn content_taken(takes: Shape) -> Option<Value> {
    match takes {
        Shape::Nothing | Shape::PageOf(_) | Shape::File(_) => None,
        Shape::Command(kind) => Some(json!({"application/json": {"schema": reference(&request_name(kind))}})),
        Shape::Named("UsageRecords") => {
            let record = json!({"type": "object"});
            let one_or_more = json!({"oneOf": [record, {"type": "array", "minItems": 1, "items": record}]});
            Some(json!({
                "application/json": {"schema": one_or_more},
                "application/x-ndjson": {"schema": {"type": "string"}},
                "application/cloudevents+json": {"schema": record},
                "application/cloudevents-batch+json": {"schema": {"type": "array", "minItems": 1, "items": record}},
            }))
        }
        Shape::Named(name) => Some(json!({"application/json": {"schema": reference(name)}})),
    }
}

fn answer(endpoint: &Endpoint, gives: Shape) -> Value {
    let content = match gives {
        Shape::Nothing | Shape::Command(_) => return json!({"description": endpoint.summary}),
        Shape::Named(name) => json!({"application/json": {"schema": reference(name)}}),
        Shape::PageOf(name) => json!({"application/json": {"schema": {
            "type": "object",
            "required": ["items", "next", "isEnd"],
            "properties": {
                "items": {"type": "array", "items": reference(name)},
                "next": {"type": "string", "description": "The cursor to go on with, now or later."},
                "isEnd": {"type": "boolean", "description": "Everything committed was looked at. Otherwise more may come, even after an empty page."},
            },
            "additionalProperties": false,
        }}}),
        Shape::File("text/csv") => json!({
            "text/csv": {"schema": {"type": "string"}},
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {"schema": {"type": "string", "format": "binary"}},
        }),
        Shape::File(media) => json!({media: {"schema": {"type": "string"}}}),
    };
    json!({"description": endpoint.summary, "content": content})
}
