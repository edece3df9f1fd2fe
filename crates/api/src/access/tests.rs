use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request};
use axum::http::{HeaderMap, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;

use super::keys::{Entry, NewKey, append};
use super::oidc::tests::{Issuer, Signer};
use super::rate::Rate;
use super::*;

const RATE: Rate = Rate { per_second: 1_000, burst: 1_000 };

/// An access that knows one key, and the key.
fn of_one_key(dir: &tempfile::TempDir, scopes: &[Scope], rate: Option<Rate>) -> (Access, NewKey) {
    let key = NewKey::generate().unwrap();
    let (id, hash) = (key.id().to_owned(), key.hash());
    let path = dir.path().join("keys.toml");
    let entry =
        Entry { id, name: "billing".to_owned(), hash, scopes: scopes.to_vec(), orgs: None, expires: None, rate };
    append(&path, &entry).unwrap();
    (Access::open(Settings { keys_file: Some(path), oidc: None, rate: RATE }).unwrap(), key)
}

fn bearer(shown: &str) -> HeaderMap {
    [(header::AUTHORIZATION, format!("Bearer {shown}").parse().unwrap())].into_iter().collect()
}

fn peer(host: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, host], 4000))
}

#[test]
fn who_asks_nobody_takes_everybody_for_local() {
    let access = Access::of_everybody();
    assert!(!access.asks());
    assert_eq!(access.authenticate(&HeaderMap::new(), peer(1)), Ok(Principal::local()));
}

#[test]
fn a_refusal_does_not_say_what_was_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let (access, key) = of_one_key(&dir, &[Scope::Read], None);
    assert_eq!(&*access.authenticate(&bearer(key.expose()), peer(1)).unwrap().subject, "billing");
    let mut all = Vec::new();
    for wrong in [HeaderMap::new(), bearer("dk_nobody_AAAA"), bearer(&format!("dk_{}_AAAA", key.id())), bearer("a.b.c")]
    {
        all.push(access.authenticate(&wrong, peer(1)).unwrap_err());
    }
    assert!(all.iter().all(|problem| *problem == all[0] && problem.status == 401), "{all:?}");
    let response = all[0].clone().into_response();
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer realm=\"drawdown\"");
}

#[test]
fn who_fails_too_often_waits_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let (access, key) = of_one_key(&dir, &[Scope::Read], None);
    let guess = |host| access.authenticate(&bearer("dk_nobody_AAAA"), peer(host)).unwrap_err();
    let statuses: Vec<u16> = (0..25).map(|_| guess(1).status).collect();
    assert_eq!(&statuses[..20], [401; 20]);
    assert_eq!(&statuses[22..], [429; 3]);
    assert!(guess(1).retry_after_s.is_some_and(|seconds| seconds >= 1));
    assert_eq!(guess(2).status, 401);
    assert!(access.authenticate(&bearer(key.expose()), peer(1)).is_ok(), "its neighbour is not locked out");
}

#[test]
fn a_principal_has_its_rate() {
    let dir = tempfile::tempdir().unwrap();
    let (access, key) = of_one_key(&dir, &[Scope::Read], Some(Rate { per_second: 1, burst: 3 }));
    let results: Vec<_> = (0..5).map(|_| access.authenticate(&bearer(key.expose()), peer(1))).collect();
    assert!(results[..3].iter().all(Result::is_ok));
    let problem = results[4].clone().unwrap_err();
    assert_eq!((problem.status, problem.kind.as_str()), (429, "/problems/rate-limited"));
    assert_eq!(problem.into_response().headers()[header::RETRY_AFTER], "1");
}

#[test]
fn networks_count_as_one_and_addresses_in_either_form() {
    let of = |text: &str| network(text.parse().unwrap());
    assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
    assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
}

#[test]
fn another_s_organisation_looks_like_none() {
    let orgs: Option<Arc<[Box<str>]>> = Some(Arc::from([Box::from("contoso")]));
    let principal = Principal { subject: Arc::from("a"), scopes: vec![Scope::Read], orgs };
    assert_eq!(require(&principal, Scope::Read, Some("contoso")), Ok(()));
    assert_eq!(require(&principal, Scope::Read, None), Ok(()));
    assert_eq!(require(&principal, Scope::Read, Some("fabrikam")), Err(unknown_account()));
    let problem = require(&principal, Scope::Money, Some("fabrikam")).unwrap_err();
    assert_eq!((problem.status, problem.kind.as_str()), (403, "/problems/insufficient-scope"));
    assert!(problem.detail.contains("money"), "{}", problem.detail);
    let admin = Principal { scopes: vec![Scope::Admin], ..principal };
    assert_eq!(require(&admin, Scope::Money, Some("fabrikam")), Err(unknown_account()), "not even then");
    for scope in Scope::ALL {
        assert_eq!(Scope::parse(scope.name()), Some(scope));
    }
}

/// The answer to a request by way of the middleware: status, and the body.
async fn ask(access: Arc<Access>, headers: HeaderMap) -> (u16, String) {
    let who = async |Extension(principal): Extension<Principal>| principal.subject.to_string();
    let router = Router::new().route("/", get(who)).layer(from_fn_with_state(access, admit));
    let mut request = Request::new(Body::empty());
    *request.headers_mut() = headers;
    request.extensions_mut().insert(Peer(peer(1)));
    let response: Response = TowerToHyperService::new(router).call(request).await.unwrap();
    let status = response.status().as_u16();
    (status, String::from_utf8(axum::body::to_bytes(response.into_body(), 10_000).await.unwrap().to_vec()).unwrap())
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn the_middleware_says_who_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (access, key) = of_one_key(&dir, &[Scope::Read], None);
    let access = Arc::new(access);
    block_on(async {
        assert_eq!(ask(Arc::clone(&access), bearer(key.expose())).await, (200, "billing".to_owned()));
        let (status, body) = ask(access, HeaderMap::new()).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, body["type"].as_str()), (401, Some("/problems/unauthenticated")));
        assert_eq!(ask(Arc::new(Access::of_everybody()), HeaderMap::new()).await, (200, "local".to_owned()));
    });
}

/// The first token makes the server ask for the keys, and the request waits for them.
#[test]
fn the_middleware_waits_for_the_issuer() {
    let signer = Signer::ec("one");
    let issuer = Issuer::start(&[signer.jwk()]);
    let settings = Settings { keys_file: None, oidc: Some(issuer.settings()), rate: RATE };
    let access = Arc::new(Access::open(settings.clone()).unwrap());
    block_on(async {
        assert_eq!(ask(Arc::clone(&access), bearer(&signer.token("read"))).await, (200, "oidc:alice".to_owned()));
        let stranger = Signer::ec("two").token("read");
        assert_eq!(ask(access, bearer(&stranger)).await.0, 401);
    });
    issuer.have(&[]);
    let access = Arc::new(Access::open(settings).unwrap());
    let (status, body) = block_on(ask(access, bearer(&signer.token("read"))));
    assert_eq!(status, 503, "without its keys nobody can tell: {body}");
}

#[test]
fn every_fault_of_the_settings_is_found() {
    let issuer = Issuer::start(&[]);
    let oidc = Some(oidc::Settings { jwks_url: "http://issuer.example".to_owned(), ..issuer.settings() });
    let faults = Access::open(Settings { keys_file: Some("/nowhere/keys.toml".into()), oidc, rate: RATE }).unwrap_err();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("/nowhere/keys.toml: cannot be read: No such file"), "{faults:?}");
    assert!(faults[1].starts_with("http.oidc.jwks_url: "), "{faults:?}");
}
