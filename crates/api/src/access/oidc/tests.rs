use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use super::*;
use crate::meters::clock;

/// Who signs.
pub(crate) struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
    kid: &'static str,
}

impl Signer {
    pub(crate) fn ec(kid: &'static str) -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        Signer { key: EncodingKey::from_ec_der(&pair.serialize_der()), algorithm: Algorithm::ES256, kid }
    }

    fn ed(kid: &'static str) -> Self {
        // The seed of RFC 8032, section 7.1, test 1, in the form that has nothing but it.
        let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
        der.extend_from_slice(b"\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4");
        der.extend_from_slice(b"\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60");
        Signer { key: EncodingKey::from_ed_der(&der), algorithm: Algorithm::EdDSA, kid }
    }

    fn rsa(kid: &'static str, bits: usize) -> Self {
        use rsa::pkcs1::EncodeRsaPrivateKey as _;
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap();
        let der = key.to_pkcs1_der().unwrap();
        Signer { key: EncodingKey::from_rsa_der(der.as_bytes()), algorithm: Algorithm::RS256, kid }
    }

    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.kid.to_owned());
        serde_json::to_value(jwk).unwrap()
    }

    fn sign(&self, claims: &Value) -> String {
        self.sign_as(&Header { kid: Some(self.kid.to_owned()), ..Header::new(self.algorithm) }, claims)
    }

    fn sign_as(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }

    /// A token that counts, for `scope`.
    pub(crate) fn token(&self, scope: &str) -> String {
        let mut claims = claims();
        claims["scope"] = json!(scope);
        self.sign(&claims)
    }
}

fn now() -> i64 {
    clock().seconds()
}

/// Claims that do.
fn claims() -> Value {
    json!({ "iss": "https://issuer.example", "aud": ["drawdown", "other"], "sub": "alice", "exp": now() + 300,
            "nbf": now() - 1, "scope": "openid read ingest", "orgs": ["contoso", "fabrikam"] })
}

/// An issuer on this machine: what it answers, and how often it was asked.
pub(crate) struct Issuer {
    pub(crate) url: String,
    answer: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    pub(crate) fn start(keys: &[Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let issuer = Issuer { url, answer: Arc::default(), asked: Arc::default() };
        issuer.have(keys);
        let (answer, asked) = (Arc::clone(&issuer.answer), Arc::clone(&issuer.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                asked.fetch_add(1, Ordering::SeqCst);
                let _ = stream.write_all(answer.lock().unwrap().as_bytes());
            }
        });
        issuer
    }

    pub(crate) fn have(&self, keys: &[Value]) {
        self.answer("200 OK", &json!({ "keys": keys }).to_string());
    }

    fn answer(&self, status: &str, body: &str) {
        let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        *self.answer.lock().unwrap() = head + body;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            issuer: "https://issuer.example".to_owned(),
            audience: "drawdown".to_owned(),
            jwks_url: self.url.clone(),
            scopes_claim: "scope".to_owned(),
            orgs_claim: "orgs".to_owned(),
            all_orgs_without_claim: false,
        }
    }

    /// Somebody who asks it as often as he likes.
    fn oidc(&self, settings: Settings) -> Arc<Oidc> {
        let mut oidc = Oidc::new(settings).unwrap();
        oidc.times.interval_min = Duration::ZERO;
        Arc::new(oidc)
    }
}

fn refresh(oidc: &Arc<Oidc>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(oidc.refresh());
}

/// An issuer with one key, and us knowing it.
fn known() -> (Signer, Issuer, Arc<Oidc>) {
    let signer = Signer::ec("one");
    let issuer = Issuer::start(&[signer.jwk()]);
    let oidc = issuer.oidc(issuer.settings());
    refresh(&oidc);
    (signer, issuer, oidc)
}

static RSA: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("three", 2048));

#[test]
fn a_token_of_each_algorithm_counts() {
    let (ec, ed) = (Signer::ec("one"), Signer::ed("two"));
    let issuer = Issuer::start(&[ec.jwk(), ed.jwk(), RSA.jwk()]);
    let oidc = issuer.oidc(issuer.settings());
    assert_eq!(oidc.verify(&ec.sign(&claims())), Err(Refused::UnknownKey));
    refresh(&oidc);
    for signer in [&ec, &ed, &RSA] {
        let principal = oidc.verify(&signer.sign(&claims())).unwrap();
        assert_eq!(&*principal.subject, "oidc:alice");
        assert_eq!(principal.scopes, [Scope::Read, Scope::Ingest]);
        assert!(principal.sees("fabrikam") && !principal.sees("litware"));
    }
}

#[test]
fn whatever_is_wrong_with_a_token_it_does_not_count() {
    let (signer, _issuer, oidc) = known();
    let changed = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        signer.sign(&claims)
    };
    assert!(oidc.verify(&changed("exp", json!(now() - 10))).is_ok(), "a clock may be off a little");
    assert!(oidc.verify(&changed("aud", json!("drawdown"))).is_ok());
    let mut wrong = vec![
        changed("exp", json!(now() - 60)),
        changed("exp", Value::Null),
        changed("exp", json!("never")),
        changed("nbf", json!(now() + 60)),
        changed("iss", json!("https://other.example")),
        changed("iss", Value::Null),
        changed("aud", json!("other")),
        changed("aud", Value::Null),
        changed("sub", Value::Null),
        changed("sub", json!("")),
        Signer { kid: "one", ..Signer::ec("") }.sign(&claims()),
        signer.sign_as(&Header::new(Algorithm::ES256), &claims()),
        String::new(),
        "a.b.c".to_owned(),
    ];
    let critical =
        Header { crit: Some(vec!["exp".to_owned()]), kid: Some("one".to_owned()), ..Header::new(Algorithm::ES256) };
    wrong.push(signer.sign_as(&critical, &claims()));
    let good = signer.sign(&claims());
    let (head_and_claims, signature) = good.rsplit_once('.').unwrap();
    wrong.push(format!("{head_and_claims}."));
    wrong.push(format!("{head_and_claims}.{}", "A".repeat(signature.len())));
    for token in wrong {
        assert!(matches!(oidc.verify(&token), Err(Refused::Bad(_))), "{token}");
        assert!(oidc.remembered(&token, clock()).is_none());
    }
}

/// The old tricks: no algorithm at all, or the public key taken for a shared secret.
#[test]
fn a_token_cannot_choose_how_it_is_checked() {
    let (signer, _issuer, oidc) = known();
    let payload = URL_SAFE_NO_PAD.encode(claims().to_string());
    for algorithm in ["none", "None", "HS256", "RS256", "EdDSA", "ES384"] {
        let head = json!({ "alg": algorithm, "kid": "one", "typ": "JWT" }).to_string();
        let token = format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(head));
        assert!(matches!(oidc.verify(&token), Err(Refused::Bad(_))), "{algorithm}");
    }
    let x = signer.jwk()["x"].as_str().unwrap().to_owned();
    for secret in [x.clone().into_bytes(), URL_SAFE_NO_PAD.decode(&x).unwrap(), signer.jwk().to_string().into_bytes()] {
        let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(&secret)).unwrap();
        assert!(matches!(oidc.verify(&token), Err(Refused::Bad(_))));
    }
}

#[test]
fn keys_that_will_not_do_are_left_out() {
    let signer = Signer::ec("one");
    let mut encrypts = Signer::ec("encrypts").jwk();
    encrypts["use"] = json!("enc");
    let mut other = Signer::ec("other").jwk();
    other["alg"] = json!("ES384");
    let shared = json!({ "kty": "oct", "kid": "shared", "k": "aHVzaA", "alg": "HS256" });
    let strange = json!({ "kty": "XYZ", "kid": "strange" });
    let all = [shared, strange, json!(3), encrypts, other, Signer::rsa("short", 1024).jwk(), signer.jwk()];
    let set = KeySet::parse(&json!({ "keys": all }).to_string()).unwrap();
    assert_eq!(set.ids(), ["one"]);
    for none in ["", "{}", "{\"keys\":[]}", "[]", "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"aHVzaA\"}]}"] {
        assert!(KeySet::parse(none).is_err(), "{none}");
    }
}

#[test]
fn claims_become_scopes_and_organisations() {
    let (_, issuer, _) = known();
    let read = |settings: &Settings, claims: Value| {
        let claims = claims.as_object().unwrap().clone();
        Oidc::new(settings.clone()).unwrap().principal(&claims).unwrap()
    };
    let mut settings = issuer.settings();
    let none = read(&settings, json!({ "sub": "a" }));
    assert!(none.scopes.is_empty() && !none.sees("contoso"));
    assert!(!read(&settings, json!({ "sub": "a", "orgs": null })).sees("contoso"));
    assert!(read(&settings, json!({ "sub": "a", "orgs": "contoso" })).sees("contoso"));
    settings.all_orgs_without_claim = true;
    settings.scopes_claim = "https://drawdown.example/roles".to_owned();
    let listed = read(&settings, json!({ "sub": "a", "https://drawdown.example/roles": ["money", "cook", 3] }));
    assert_eq!(listed.scopes, [Scope::Money]);
    assert!(listed.sees("contoso"));
    assert!(!read(&settings, json!({ "sub": "a", "orgs": [] })).sees("contoso"));
}

#[test]
fn keys_are_rotated_and_kept_where_the_issuer_fails() {
    let (one, issuer, oidc) = known();
    let two = Signer::ec("two");
    let (old, new) = (one.sign(&claims()), two.sign(&claims()));
    assert!(oidc.verify(&old).is_ok() && oidc.remembered(&old, clock()).is_some());
    assert!(oidc.remembered(&old, clock().plus_seconds(400)).is_none(), "what is remembered expires too");
    issuer.have(&[two.jwk()]);
    assert_eq!(oidc.verify(&new), Err(Refused::UnknownKey));
    refresh(&oidc);
    assert!(oidc.verify(&new).is_ok());
    assert!(oidc.remembered(&old, clock()).is_none(), "the key was taken back");
    assert_eq!(oidc.verify(&old), Err(Refused::UnknownKey));
    let huge = "x".repeat(300_000);
    for (status, body) in [("500 Oh", "{}"), ("302 Found", ""), ("200 OK", "nonsense"), ("200 OK", &huge)] {
        issuer.answer(status, body);
        refresh(&oidc);
        assert!(oidc.verify(&new).is_ok(), "{status}");
    }
}

#[test]
fn the_issuer_is_not_asked_all_the_time() {
    let signer = Signer::ec("one");
    let issuer = Issuer::start(&[signer.jwk()]);
    let oidc = Arc::new(Oidc::new(issuer.settings()).unwrap());
    assert!(oidc.is_due() && !oidc.has_keys());
    for _ in 0..10 {
        refresh(&oidc);
    }
    assert_eq!(issuer.asked(), 1);
    assert!(!oidc.is_due() && oidc.has_keys());
}

#[test]
fn keys_are_taken_over_tls_or_from_this_machine() {
    for safe in ["https://issuer.example/keys", "http://127.0.0.1:8080/keys", "http://[::1]/keys"] {
        assert!(fetch::is_safe(safe), "{safe}");
    }
    for unsafe_ in [
        "http://issuer.example/keys",
        "http://127.0.0.1.example/",
        "http://localhost.example/",
        "ftp://127.0.0.1/",
        "https:///",
        "",
        "keys",
    ] {
        assert!(!fetch::is_safe(unsafe_), "{unsafe_}");
    }
    let issuer = Issuer::start(&[]);
    let settings =
        Settings { jwks_url: "http://issuer.example".to_owned(), audience: " ".to_owned(), ..issuer.settings() };
    let faults = Oidc::new(settings).unwrap_err();
    assert_eq!(faults.len(), 2, "{faults:?}");
}
