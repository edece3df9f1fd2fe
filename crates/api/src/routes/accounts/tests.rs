use super::*;
use crate::access::{Principal, Scope};
use crate::meters::Telemetry;
use crate::views::tests::Named;

/// The names on a page of two, and where the next begins, for whoever holds for these organisations.
fn page(service: &Arc<Service>, orgs: Option<&[&str]>, after: Option<&str>) -> (Vec<String>, Option<String>) {
    let orgs = orgs.map(|orgs| orgs.iter().map(|org| Box::from(*org)).collect());
    let principal = Principal { subject: Arc::from("a"), scopes: vec![Scope::Read], orgs };
    let listed = Listed { after: after.map(str::to_owned), limit: Some(2) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let body = runtime.block_on(async {
        let caller = Caller { principal, address: None };
        let answer = list(State(Arc::clone(service)), caller, Query(listed)).await.unwrap();
        axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap()
    });
    let body: Value = serde_json::from_slice(&body).unwrap();
    let name = |item: &Value| item["orgId"].as_str().unwrap().to_owned();
    (body["items"].as_array().unwrap().iter().map(name).collect(), body["next"].as_str().map(str::to_owned))
}

#[test]
fn whoever_holds_for_some_pages_through_those_and_no_others() {
    let others = (0..10).map(|number| format!("a-{number}"));
    let own = ["x-1", "x-2", "x-3"].map(str::to_owned);
    let telemetry = Telemetry::begin("0.0.0");
    let service = Arc::new(Service::of_views(&telemetry, Arc::new(Named(others.chain(own).collect()))));
    let holds = Some(&["x-3", "x-1", "elsewhere", "x-2"][..]);
    assert_eq!(page(&service, holds, None), (vec!["x-1".to_owned(), "x-2".to_owned()], Some("x-2".to_owned())));
    assert_eq!(page(&service, holds, Some("x-2")), (vec!["x-3".to_owned()], None));
    assert_eq!(page(&service, None, Some("a-9")).0, ["x-1", "x-2"], "who holds for all sees all");
}
