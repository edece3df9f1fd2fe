//! Counting each answer, around everything that can answer.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::meters::HttpMeters;
use crate::problem::Limit;

/// The middleware. A request whose sender went away before it was answered is not counted.
pub(super) async fn count(State(meters): State<Arc<HttpMeters>>, request: Request, next: Next) -> Response {
    let route = meters.route(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    let method = route.method(request.method());
    let began = Instant::now();
    let response = next.run(request).await;
    route.took(began.elapsed());
    method.answered(response.status());
    if let Some(limit) = response.extensions().get::<Limit>() {
        meters.refused(*limit);
    }
    response
}
