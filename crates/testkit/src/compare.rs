//! Whether a real output says at least what the model says.

use serde_json::Value;

/// The first difference, as a path and both sides: every field of `expected` must be in `actual` with the same value,
/// further fields of `actual` do not matter. Arrays agree element by element.
pub fn difference(expected: &Value, actual: &Value) -> Option<String> {
    differs("", expected, actual)
}

fn differs(path: &str, expected: &Value, actual: &Value) -> Option<String> {
    match (expected, actual) {
        (Value::Object(fields), Value::Object(_)) => fields.iter().find_map(|(name, value)| {
            let path = format!("{path}/{name}");
            match actual.get(name) {
                Some(found) => differs(&path, value, found),
                None => Some(format!("{path}: expected {value}, found nothing")),
            }
        }),
        (Value::Array(values), Value::Array(found)) if values.len() == found.len() => {
            let pairs = values.iter().zip(found).enumerate();
            pairs.into_iter().find_map(|(index, (value, found))| differs(&format!("{path}/{index}"), value, found))
        }
        _ if expected == actual => None,
        _ => Some(format!("{path}: expected {expected}, found {actual}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::difference;

    #[test]
    fn further_fields_do_not_matter_but_every_expected_one_does() {
        let expected = json!({ "type": "debit", "funding": [{ "lotId": "L1", "amount": "1.00" }] });
        let mut actual = expected.clone();
        actual["funding"][0]["more"] = json!(1);
        assert_eq!(difference(&expected, &actual), None);
        actual["funding"][0]["amount"] = json!("2.00");
        assert_eq!(
            difference(&expected, &actual),
            Some("/funding/0/amount: expected \"1.00\", found \"2.00\"".to_owned())
        );
        assert!(difference(&expected, &json!({ "type": "debit" })).is_some());
        assert!(difference(&json!([1]), &json!([1, 2])).is_some());
    }
}
