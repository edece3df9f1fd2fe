//! What a request shows of who sends it: one header `Authorization`, a bearer's key or token.

use axum::http::{HeaderMap, header};

use super::keys;

/// What was shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Credential<'a> {
    /// An API key, by the looks of it.
    Key(&'a str),
    /// Anything else: a token, if it is one.
    Token(&'a str),
}

/// The credential of a request; `None` if there is none, or more than one, or of another kind.
pub(super) fn of(headers: &HeaderMap) -> Option<Credential<'_>> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let (scheme, rest) = only.to_str().ok()?.split_once(' ')?;
    let shown = rest.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || shown.is_empty() {
        return None;
    }
    Some(if shown.starts_with(keys::PREFIX) { Credential::Key(shown) } else { Credential::Token(shown) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_credential_or_none() {
        let headers = |values: &[&str]| -> HeaderMap {
            values.iter().map(|value| (header::AUTHORIZATION, value.parse().unwrap())).collect()
        };
        assert!(of(&headers(&["Bearer dk_a_b"])) == Some(Credential::Key("dk_a_b")));
        assert!(of(&headers(&["bearer  e.y.j "])) == Some(Credential::Token("e.y.j")));
        for none in [&[][..], &["Bearer"], &["Bearer "], &["Basic dk_a_b"], &["dk_a_b"], &["Bearer a", "Bearer a"]] {
            assert!(of(&headers(none)).is_none(), "{none:?}");
        }
    }
}
