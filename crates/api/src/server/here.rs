//! Whether a request was meant for this machine. A listener that only this machine reaches, and that asks nobody who he is,
//! is reached by the pages in its browsers too: under a name that leads here of a sudden, or from another site.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::problem::Problem;

/// Lets through what is sent to an address, or to `localhost`, and by no page of another site.
pub(super) async fn here_alone(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if are_all(headers, header::HOST, is_here) && are_all(headers, header::ORIGIN, |origin| is_own(headers, origin)) {
        return next.run(request).await;
    }
    let detail = "nobody is asked here who he is, so what is sent to another name, or by a page of another site, is not \
                  answered; ask by an IP address or localhost, or set up http.keys_file or http.oidc";
    Problem::new(StatusCode::FORBIDDEN, "not-from-here", detail).into_response()
}

fn are_all(headers: &HeaderMap, name: header::HeaderName, fits: impl Fn(&str) -> bool) -> bool {
    headers.get_all(name).iter().all(|value| value.to_str().is_ok_and(&fits))
}

/// Whether a host, with its port or without, is an address or `localhost`: what no name server has a say in.
fn is_here(host: &str) -> bool {
    host.parse::<Authority>().is_ok_and(|authority| {
        let name = authority.host();
        name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
    })
}

/// Whether a page is one of ours.
fn is_own(headers: &HeaderMap, origin: &str) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    origin.split_once("://").is_some_and(|(_, page)| Some(page) == host)
}
