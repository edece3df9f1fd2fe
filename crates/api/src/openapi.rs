//! The description of the API (OpenAPI 3.1), made of the table of endpoints and of the published schemas of the wire.

use serde_json::{Map, Value, json};

use crate::authorise::{Authorisation, AuthorisationRequest, Extension, Release};
use crate::problem::Problem;
use crate::routes::give::ENVELOPE;
use crate::routes::{Endpoint, Shape, endpoints};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema as _, ToSchema as _};

/// The published schemas, each with the name of its component.
const SCHEMAS: [(&str, &str); 5] = [
    ("Account", include_str!("../../../config/schemas/account.v1.schema.json")),
    ("AccountEvent", include_str!("../../../config/schemas/account-event.v1.schema.json")),
    ("Debit", include_str!("../../../config/schemas/debit.v1.schema.json")),
    ("Reject", include_str!("../../../config/schemas/reject.v1.schema.json")),
    ("AnyCommand", include_str!("../../../config/schemas/command.v1.schema.json")),
];

/// Fields of commands that the server fills in where a request leaves them out.
const FILLED_IN: [&str; 3] = ["lotId", "purchasedAt", "processedAt"];
/// Fields of commands that the path says.
const IN_PATH: [(&str, &[&str]); 4] = [
    ("refundLot", &["lotId"]),
    ("settleRecharge", &["rechargeId"]),
    ("assignLicence", &["userId", "licence"]),
    ("removeLicence", &["userId", "licence"]),
];

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
            "responses": {"Problem": {"description": "What went wrong.",
                "content": {"application/problem+json": {"schema": reference("Problem")}}}},
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
    let mut parameters: Vec<Value> = Vec::new();
    for name in endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        parameters
            .push(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}));
    }
    for (name, what) in endpoint.query {
        let (name, is_required) = name.strip_prefix('!').map_or((*name, false), |name| (name, true));
        let kind = if matches!(name, "limit" | "seconds")
            || (name == "from" || name == "to") && endpoint.path.ends_with("/diff")
        {
            json!({"type": "integer", "minimum": i32::from(name == "limit")})
        } else {
            json!({"type": "string"})
        };
        parameters
            .push(json!({"name": name, "in": "query", "required": is_required, "description": what, "schema": kind}));
    }
    if endpoint.is_idempotent_by_key() {
        parameters.push(json!({"name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Under one key a write is done once, and answered the same.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}}));
    }
    let is_setting = endpoint.path.ends_with("/auto-recharge") || endpoint.path.ends_with("/payment-method");
    if is_setting && endpoint.method == "PUT" {
        parameters.push(json!({"name": "If-Match", "in": "header", "required": false,
            "description": "The ETag of the settings that are to be changed.", "schema": {"type": "string"}}));
    }
    let (status, gives) = endpoint.gives;
    let mut responses = json!({status.to_string(): answer(endpoint, gives)});
    let writes = endpoint.method != "GET";
    let mut problems = vec!["400", "401", "403", "404", "413", "422", "429", "500", "503"];
    if writes {
        problems.extend(["409", "415"]);
    }
    if is_setting && writes {
        problems.push("412");
    }
    for status in problems {
        responses[status] = json!({"$ref": "#/components/responses/Problem"});
    }
    if gives == Shape::Named("Done") && writes {
        responses["202"] = answer(endpoint, gives);
    }
    let mut operation = json!({
        "summary": endpoint.summary,
        "operationId": operation_id(endpoint),
        "tags": [endpoint.path.split('/').nth(2).unwrap_or_default()],
        "description": format!("Takes the scope `{}`.", endpoint.scope.name()),
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(content) = content_taken(endpoint.takes) {
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    operation
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

/// The fields of a command that a request gives.
fn request_schema(kind: &str, any: &Value) -> Value {
    let of_kind = |schema: &&Value| schema["properties"]["type"]["const"] == kind;
    let mut schema = any["oneOf"].as_array().and_then(|all| all.iter().find(of_kind)).cloned().unwrap_or_default();
    let in_path = IN_PATH.iter().find(|(of, _)| *of == kind).map_or(&[][..], |(_, names)| *names);
    let is_left_out = |name: &str| {
        (ENVELOPE.contains(&name) && !(kind == "openAccount" && name == "orgId")) || in_path.contains(&name)
    };
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.retain(|name, _| !is_left_out(name));
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| name.as_str().is_some_and(|name| !is_left_out(name) && !FILLED_IN.contains(&name)));
    }
    schema
}

/// The schemas that the endpoints name.
fn components() -> Map<String, Value> {
    let mut schemas: Map<String, Value> = Map::new();
    for (name, text) in SCHEMAS {
        let mut schema: Value = serde_json::from_str(text).unwrap_or_default();
        let definitions = schema.as_object_mut().map(|schema| {
            schema.remove("$schema");
            schema.remove("$id");
            schema.remove("$defs")
        });
        redirect(&mut schema, name);
        for (inner, mut definition) in definitions.flatten().and_then(|it| it.as_object().cloned()).unwrap_or_default()
        {
            redirect(&mut definition, name);
            schemas.insert(format!("{name}.{inner}"), definition);
        }
        schemas.insert(name.to_owned(), schema);
    }
    schemas.insert("Problem".to_owned(), serde_json::to_value(Problem::schema()).unwrap_or_default());
    let mut asked: Vec<(String, RefOr<Schema>)> = Vec::new();
    for schema in [AuthorisationRequest::schema(), Extension::schema(), Release::schema(), Authorisation::schema()]
        .into_iter()
        .zip(["AuthorisationRequest", "Extension", "Release", "Authorisation"])
    {
        asked.push((schema.1.to_owned(), schema.0));
    }
    Authorisation::schemas(&mut asked);
    for (name, schema) in asked {
        schemas.insert(name, serde_json::to_value(schema).unwrap_or_default());
    }
    schemas.extend(ours().as_object().cloned().unwrap_or_default());
    schemas
}

/// Definitions of a schema's own are components of the document.
fn redirect(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get_mut("$ref")
                && let Some(inner) = target.strip_prefix("#/$defs/")
            {
                *target = format!("#/components/schemas/{name}.{inner}");
            }
            map.values_mut().for_each(|value| redirect(value, name));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| redirect(value, name)),
        _ => {}
    }
}

/// The schemas of what only the API says.
fn ours() -> Value {
    let object = |required: &[&str], properties: Value| json!({"type": "object", "required": required, "properties": properties});
    let text = json!({"type": "string"});
    let money = json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,6})?$", "description": "A decimal text."});
    let settings = json!({
        "enabled": {"type": "boolean"}, "rechargeAmount": money, "triggerAmount": money, "monthlyCap": money,
        "paymentMethod": {"type": "object"},
    });
    json!({
        "Accounts": object(&["items", "next"], json!({
            "items": {"type": "array", "items": object(&["orgId", "currency", "balance"], json!({
                "orgId": text, "currency": text, "country": text, "mode": text, "closed": {"type": "boolean"},
                "balance": money, "overdraft": money, "postUsage": money}))},
            "next": {"type": ["string", "null"], "description": "Give it as `after` for the next page."}})),
        "Balance": object(&["orgId", "currency", "settled", "pending", "reserved", "available"], json!({
            "orgId": text, "currency": text, "mode": text,
            "settled": money, "pending": money, "reserved": money, "available": money,
            "overdraft": money, "postUsage": money, "uncollected": money,
            "seq": {"type": "integer"}, "at": text})),
        "Lots": object(&["orgId", "currency", "lots"], json!({"orgId": text, "currency": text,
            "lots": {"type": "array", "items": object(&["lotId", "amount", "remaining", "expiresAt", "state"], json!({}))}})),
        "Pools": object(&["orgId", "pools"], json!({"orgId": text, "pools": {"type": "array", "items": {"type": "object"}}})),
        "User": object(&["userId"], json!({"userId": text})),
        "AutoRecharge": object(&["enabled", "rechargeAmount", "triggerAmount", "paymentMethod"], settings),
        "PaymentMethod": object(&["paymentMethod"], json!({"paymentMethod": {"oneOf": [
            {"type": "object", "required": ["card"], "properties": {"card": {"type": "string", "minLength": 1}}, "additionalProperties": false},
            {"type": "object", "required": ["agreement"], "properties": {"agreement": {"type": "string", "minLength": 1},
                "purchaseOrder": {"type": "string", "minLength": 1}}, "additionalProperties": false}]}})),
        "Done": object(&["commandId", "orgId", "outcome"], json!({
            "commandId": text, "orgId": text, "outcome": {"enum": ["applied", "pending"]},
            "events": {"type": "array", "items": reference("AccountEvent")},
            "location": {"type": "string", "description": "Where the outcome will be."}})),
        "Accepted": object(&["accepted"], json!({"accepted": {"type": "integer", "minimum": 1}})),
        "UsageRecords": {"type": "object"},
        "Released": object(&["orgId", "callId", "released"], json!({"orgId": text, "callId": text,
            "released": {"type": "boolean", "description": "Whether anything was kept for it."}})),
        "Explanations": object(&["items"], json!({"items": {"type": "array", "items":
            object(&["debit", "explanation"], json!({"debit": reference("Debit"),
                "explanation": {"type": "array", "items": object(&["about", "text"], json!({"about": text, "text": text}))},
                "recomputed": {"type": ["object", "null"]}}))}})),
        "Statement": {"type": "object", "required": ["orgId", "month", "currency"]},
        "Decks": object(&["decks", "ratePlans"], json!({
            "decks": {"type": "array", "items": object(&["id", "version", "currency"], json!({"id": text, "version": {"type": "integer"}, "currency": text}))},
            "ratePlans": {"type": "array", "items": object(&["id", "currency"], json!({"id": text, "currency": text}))}})),
        "Publication": {"type": "object", "required": ["manifest"], "additionalProperties": false, "properties": {
            "manifest": {"type": "string", "description": "The TOML of a deck or of a rate plan."},
            "rows": {"type": "string", "description": "The CSV of a deck's rows."}}},
        "Published": object(&["key"], json!({"key": text})),
        "DeckDiff": {"type": "object"},
        "Price": {"type": "object", "required": ["amount", "currency"]},
    })
}
