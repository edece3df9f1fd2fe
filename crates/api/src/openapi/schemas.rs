//! The schemas of the description: those of the wire as they are published, and what only the API says.

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::reference;
use crate::authorise::{Authorisation, AuthorisationRequest, Extension, Release};
use crate::problem::Problem;
use crate::routes::give::ENVELOPE;
use crate::routes::object::TEXT_LENGTH_MAX;

/// The published schemas, each with the name of its component.
const SCHEMAS: [(&str, &str); 5] = [
    ("Account", include_str!("../../../../config/schemas/account.v1.schema.json")),
    ("AccountEvent", include_str!("../../../../config/schemas/account-event.v1.schema.json")),
    ("Debit", include_str!("../../../../config/schemas/debit.v1.schema.json")),
    ("Reject", include_str!("../../../../config/schemas/reject.v1.schema.json")),
    ("AnyCommand", include_str!("../../../../config/schemas/command.v1.schema.json")),
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

/// The fields of a command that a request gives.
pub(super) fn request_schema(kind: &str, any: &Value) -> Value {
    let of_kind = |schema: &&Value| schema["properties"]["type"]["const"] == kind;
    let mut schema = any["oneOf"].as_array().and_then(|all| all.iter().find(of_kind)).cloned().unwrap_or_default();
    let in_path = IN_PATH.iter().find(|(of, _)| *of == kind).map_or(&[][..], |(_, names)| *names);
    let is_left_out = |name: &str| {
        (ENVELOPE.contains(&name) && !(kind == "openAccount" && name == "orgId")) || in_path.contains(&name)
    };
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.retain(|name, _| !is_left_out(name));
        for schema in properties.values_mut().filter(|schema| schema["minLength"].is_number()) {
            schema["maxLength"] = json!(TEXT_LENGTH_MAX);
        }
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| name.as_str().is_some_and(|name| !is_left_out(name) && !FILLED_IN.contains(&name)));
    }
    schema
}

/// The schemas that the endpoints name.
pub(super) fn components() -> Map<String, Value> {
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
        let mut schema = serde_json::to_value(schema).unwrap_or_default();
        unsigned(&mut schema);
        schemas.insert(name, schema);
    }
    schemas.extend(ours().as_object().cloned().unwrap_or_default());
    schemas
}

/// Whole numbers without a sign go as far as they do, not to half of it.
fn unsigned(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("format").is_some_and(|format| format == "int32") && map.contains_key("minimum") {
                map.remove("format");
                map.insert("maximum".to_owned(), json!(u32::MAX));
            }
            map.values_mut().for_each(unsigned);
        }
        Value::Array(list) => list.iter_mut().for_each(unsigned),
        _ => {}
    }
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
    let rows = json!({"type": "array", "items": {"type": "object"}});
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
            "lots": {"$ref": "#/components/schemas/Account/properties/lots"}})),
        "Pools": object(&["orgId", "pools"], json!({"orgId": text,
            "pools": {"$ref": "#/components/schemas/Account/properties/pools"}})),
        "User": object(&["orgId", "userId", "licences", "pools"], json!({"orgId": text, "userId": text,
            "licences": {"$ref": "#/components/schemas/Account/properties/users/items/properties/licences"},
            "pools": {"$ref": "#/components/schemas/Account/properties/pools"}})),
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
                "rules": {"type": "array", "items": text, "description": "By which rule the funder of each funding line was asked."},
                "calculation": {"oneOf": [{"type": "null"}, reference("Calculation")]},
                "recomputed": {"type": ["object", "null"]}}))}})),
        "Calculation": calculation(&text, &money),
        "Statement": object(&["orgId", "month", "currency", "opening", "closing", "lots", "charged", "calls", "proofs"], json!({
            "orgId": text, "month": text, "currency": text, "isOver": {"type": "boolean"},
            "opening": {"type": "object"}, "closing": {"type": "object"}, "lots": {"type": "object"},
            "charged": money, "calls": {"type": "integer"}, "proofs": {"type": "array", "items": {"type": "object"}}})),
        "Decks": object(&["decks", "ratePlans"], json!({
            "decks": {"type": "array", "items": object(&["id", "version", "currency"], json!({"id": text, "version": {"type": "integer"}, "currency": text,
                "withdrawnAt": {"type": ["string", "null"], "description": "Since when no call is priced by it."}}))},
            "ratePlans": {"type": "array", "items": object(&["id", "currency"], json!({"id": text, "currency": text}))}})),
        "Publication": {"type": "object", "required": ["manifest"], "additionalProperties": false, "properties": {
            "manifest": {"type": "string", "description": "The TOML of a deck or of a rate plan."},
            "rows": {"type": "string", "description": "The CSV of a deck's rows."}}},
        "Published": object(&["key"], json!({"key": text})),
        "Withdrawn": object(&["key", "withdrawnAt", "inForce"], json!({"key": text, "withdrawnAt": text,
            "inForce": {"type": "boolean", "description": "Whether this process still prices calls by it."}})),
        "DeckDiff": object(&["before", "after", "alike", "added", "removed", "dearer", "cheaper", "otherwise"], json!({
            "before": {"type": "object"}, "after": {"type": "object"}, "alike": {"type": "integer"},
            "added": rows, "removed": rows, "dearer": rows, "cheaper": rows, "otherwise": rows})),
        "CallPrice": object(&["number", "product", "seconds", "at", "rated"], json!({
            "number": text, "product": text, "seconds": {"type": "integer"}, "at": text,
            "masked": {"type": "boolean"}, "flags": {"type": "array", "items": text},
            "rated": {"type": "boolean", "description": "Whether there is a price; else `why` says why not."}, "why": text,
            "sum": money, "charge": object(&["amount", "currency", "billableSeconds"], json!({
                "amount": money, "currency": text, "billableSeconds": {"type": "integer"}})),
            "parts": {"type": "array", "items": {"type": "object"}}})),
    })
}

/// How the seconds of a call became money, by the row of its deck.
fn calculation(text: &Value, money: &Value) -> Value {
    let seconds = json!({"type": "integer", "minimum": 0});
    json!({"type": "object",
        "required": ["ratedSeconds", "initialSeconds", "incrementSeconds", "billableSeconds", "parts", "rounding", "amount"],
        "properties": {
            "callSeconds": seconds, "coveredSeconds": seconds, "ratedSeconds": seconds,
            "initialSeconds": seconds, "incrementSeconds": seconds, "billableSeconds": seconds, "connectionFee": money,
            "parts": {"type": "array", "description": "Billed seconds, each at its price.", "items": {"type": "object",
                "properties": {"fromSecond": seconds, "seconds": seconds, "pricePerMinute": text,
                    "band": {"type": ["string", "null"]}, "line": {"type": "integer"}}}},
            "sum": {"type": "string", "description": "Fee and parts; ends in … where its decimals do not end."},
            "bound": {"oneOf": [{"type": "null"}, {"type": "object",
                "properties": {"kind": {"enum": ["minimum", "maximum"]}, "amount": money}}]},
            "rounding": {"type": "object", "properties": {"mode": text, "decimals": {"type": "integer"}}},
            "amount": money, "currency": text}})
}
