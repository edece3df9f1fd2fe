//! Connecting works with TLS and SCRAM, and says clearly why it does not.

use std::net::TcpListener;
use std::time::Duration;

use drawdown_engine::log::Log;
use drawdown_stream::kafka::{ConnectError, KafkaLog, KafkaSettings};
use drawdown_testkit::kafka::{PASSWORD, SecureListener, USER};

use crate::desk::{self, Fed, feed, open, pass_on, poll};

fn secured(settings: &KafkaSettings, listener: &SecureListener, password: &str) -> KafkaSettings {
    let mut settings = settings.clone();
    settings.brokers = listener.brokers.clone();
    let authority = listener.authority.display().to_string();
    for (name, value) in [
        ("security.protocol", "sasl_ssl"),
        ("sasl.mechanism", "SCRAM-SHA-256"),
        ("sasl.username", USER),
        ("sasl.password", password),
        ("ssl.ca.location", &authority),
    ] {
        settings.properties.insert(name.to_owned(), value.to_owned());
    }
    settings
}

/// `None` where another broker is used, which may have no such listener.
fn listener() -> Option<SecureListener> {
    desk::BROKER.as_ref()?.secure_listener()
}

#[test]
fn the_log_works_with_tls_and_scram() {
    let Some(plain) = desk::with_topics("secure", 2) else { return };
    let Some(listener) = listener() else { return };
    let settings = secured(&plain, &listener, PASSWORD);
    feed(&plain, (0..10).map(|n| Fed::new("cdrs", n % 2, format!("record {n}"))));
    let (mut log, _) = open(&settings, 0);
    let batch = poll(&mut log, 10);
    pass_on(&mut log, &batch).expect("committed");
    assert!(log.elapsed() > Duration::ZERO);
    assert_eq!(desk::await_committed(&plain, "debits", 10).len(), 2);
}

#[test]
fn a_wrong_password_is_told_at_once() {
    let Some(plain) = desk::settings("password") else { return };
    let Some(listener) = listener() else { return };
    let Err(error) = KafkaLog::connect(&secured(&plain, &listener, "wrong"), 0) else { panic!("it connects") };
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("uthentication") && text.contains("check user, password"), "{text}");
    assert!(!text.contains("wrong"), "{text}");
}

#[test]
fn a_certificate_of_a_stranger_is_told_at_once() {
    let Some(plain) = desk::settings("stranger") else { return };
    let Some(listener) = listener() else { return };
    let mut settings = secured(&plain, &listener, PASSWORD);
    settings.properties.remove("ssl.ca.location");
    let Err(error) = KafkaLog::connect(&settings, 0) else { panic!("it connects") };
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[test]
fn a_broker_that_is_not_there_is_told_in_time() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let settings = KafkaSettings {
        brokers: format!("127.0.0.1:{port}"),
        connect_timeout: Duration::from_secs(1),
        ..KafkaSettings::default()
    };
    let Err(error) = KafkaLog::connect(&settings, 0) else { panic!("it connects") };
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains(&settings.brokers) && error.to_string().contains("refused"), "{error}");
}

#[test]
fn a_plain_client_of_a_secure_listener_learns_what_to_look_at() {
    let Some(mut settings) = desk::settings("plain") else { return };
    let Some(listener) = listener() else { return };
    settings.brokers = listener.brokers;
    settings.connect_timeout = Duration::from_secs(3);
    let Err(error) = KafkaLog::connect(&settings, 0) else { panic!("it connects") };
    assert!(error.to_string().contains("security.protocol"), "{error}");
}
