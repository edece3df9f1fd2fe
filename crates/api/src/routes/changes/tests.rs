use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use drawdown_engine::inbox::{Done, Inbox, Message};
use drawdown_engine::partition::CommandOutcome;
use drawdown_engine::worker::{self, Messages};

use super::*;
use crate::access::Principal;
use crate::meters::Telemetry;
use crate::views::tests::Named;

/// Takes everything; nothing becomes of it.
struct Taking;

impl Inbox for Taking {
    fn put(&self, _: Message, done: Done) {
        done(Ok(()));
    }
}

fn service(patience: Duration) -> Arc<Service> {
    let mut service = Service::of_views(&Telemetry::begin("0.0.0"), Arc::new(Named(vec!["contoso".to_owned()])));
    service.inbox = Arc::new(Taking);
    service.patience = patience;
    Arc::new(service)
}

async fn set(service: &Arc<Service>, key: &'static str) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    let headers = headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let body = json!({"enabled": true, "rechargeAmount": "100.00", "triggerAmount": "20.00",
        "paymentMethod": {"agreement": "EA-1"}});
    let caller = Caller { principal: Principal::local(), address: None };
    let (headers, body) = (headers.into_iter().collect(), Bytes::from(body.to_string()));
    set_auto_recharge(Path("contoso".to_owned()), Order { service: Arc::clone(service), caller, headers, body }).await
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn a_setting_keeps_its_turn_until_its_outcome_is_known() {
    block_on(async {
        let service = service(Duration::from_millis(20));
        assert_eq!(set(&service, "one").await.unwrap().status(), StatusCode::ACCEPTED);
        let refused = set(&service, "two").await.unwrap_err();
        assert_eq!((refused.status, refused.kind.as_str()), (409, "/problems/request-underway"));
        let (org, command_id, outcome) = ("contoso".into(), "one".into(), CommandOutcome::Applied);
        service.desk.committed(&[worker::Answer { org, command_id, outcome }], &Messages::default());
        assert_eq!(set(&service, "two").await.unwrap().status(), StatusCode::ACCEPTED);
    });
}

#[test]
fn a_setting_keeps_its_turn_when_its_sender_leaves() {
    block_on(async {
        let service = service(Duration::from_secs(2));
        tokio::time::timeout(Duration::ZERO, set(&service, "one")).await.unwrap_err();
        assert_eq!(set(&service, "two").await.unwrap_err().status, 409);
    });
}
