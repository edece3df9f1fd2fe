use std::collections::BTreeSet;
use std::io::Write as _;

use super::keys::KEYS;
use super::*;

fn inputs(file: &str, variables: &[(&str, &str)], set: &[&str]) -> Inputs {
    Inputs {
        file: Some(("drawdown.toml".to_owned(), file.to_owned())),
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        set: set.iter().map(|argument| (*argument).to_owned()).collect(),
    }
}

fn config(file: &str, variables: &[(&str, &str)], set: &[&str]) -> Config {
    let show = |faults: Vec<Fault>| faults.iter().map(|fault| format!("\n{fault}")).collect::<String>();
    Config::read(inputs(file, variables, set)).unwrap_or_else(|faults| panic!("{}", show(faults)))
}

/// The faults, one a line.
fn faults(file: &str, variables: &[(&str, &str)], set: &[&str]) -> Vec<String> {
    let faults = Config::read(inputs(file, variables, set)).expect_err("there are faults");
    faults.iter().map(ToString::to_string).collect()
}

fn kafka(config: &Config) -> &Kafka {
    match &config.log {
        Log::Kafka(kafka) => kafka,
        Log::Embedded(_) => panic!("not on Kafka"),
    }
}

fn property<'a>(config: &'a Config, name: &str) -> Option<&'a str> {
    let all = &kafka(config).client;
    all.iter().find(|(held, _)| held == name).map(|(_, value)| value.expose())
}

const SAMPLE: &str = include_str!("../../../../config/drawdown.toml");

#[test]
fn the_sample_is_the_list_of_keys() {
    assert_eq!(SAMPLE, sample(), "config/drawdown.toml is written by config::sample()");
}

#[test]
fn the_sample_is_the_defaults() {
    assert_eq!(config(SAMPLE, &[], &[]), config("", &[], &[]));
}

/// What is commented out is right too, and together all keys are there.
#[test]
fn every_key_is_in_the_sample() {
    let is_setting = |line: &&str| line.starts_with('[') || line.contains(" = ");
    let whole: String =
        SAMPLE.lines().filter(is_setting).map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
    let mut found = Vec::new();
    let given = inputs(&whole, &[], &[]).merge(&mut found);
    assert_eq!(found, []);
    for key in KEYS {
        let is_there =
            |path: &String| key.path == path || key.path.strip_suffix('*').is_some_and(|it| path.starts_with(it));
        assert!(given.keys().any(is_there), "{}", key.path);
    }
    let mut reader = Reader::new(given, found);
    Config::build(None, &mut reader);
    let shown: Vec<_> = reader.faults.iter().map(ToString::to_string).collect();
    // Files that are only named as examples are not there.
    assert!(shown.iter().all(|fault| fault.contains("No such file") || fault.contains("given too")), "{shown:#?}");
}

#[test]
fn every_key_is_read_and_none_twice() {
    let mut reader = Reader::new(Default::default(), Vec::new());
    Config::build(None, &mut reader);
    let asked: BTreeSet<&str> = reader.asked.iter().copied().collect();
    let listed: BTreeSet<&str> = KEYS.iter().map(|key| key.path).collect();
    assert_eq!(asked, listed);
    assert_eq!(reader.asked.len(), listed.len());
}

#[test]
fn the_defaults_are_those_of_the_engine() {
    let config = config("", &[], &[]);
    assert_eq!(config.rules, Rules { plans: drawdown_wire::licences::teams(), ..Rules::default() });
    assert_eq!(config.rating.limits, Limits::default());
    assert_eq!(config.workers, 1);
    let spool = Spool { source: "native".into(), org: None };
    assert_eq!(config.log, Log::Embedded(Embedded { directory: "drawdown-data".into(), spool }));
}

#[test]
fn the_command_line_is_stronger_than_the_environment_and_that_than_the_file() {
    let file = "[commit]\nrecords_max = 1\ninterval_ms = 2\nbytes_max = 100000";
    let variables = [("DRAWDOWN_COMMIT__RECORDS_MAX", "10"), ("DRAWDOWN_COMMIT__INTERVAL_MS", "20")];
    let commit = config(file, &variables, &["commit.records_max=100"]).commit;
    assert_eq!(commit, Commit { records_max: 100, bytes_max: 100_000, interval: Duration::from_millis(20) });
}

#[test]
fn brokers_mean_kafka_with_a_worker_for_each_core() {
    let config = config("", &[("DRAWDOWN_KAFKA__BROKERS", "a:9092, b:9093")], &["kafka.prefix=prod."]);
    assert_eq!(property(&config, "bootstrap.servers"), Some("a:9092,b:9093"));
    assert_eq!(config.workers, core_count());
    assert_eq!(kafka(&config).topics.events, "prod.account-events");
    assert!(!kafka(&config).instance.is_empty());
    let embedded = self::config("", &[("DRAWDOWN_KAFKA__BROKERS", "a:9092")], &["log.kind=embedded"]);
    assert!(matches!(embedded.log, Log::Embedded(_)));
}

/// A text that looks like a number stays a text.
#[test]
fn texts_of_the_environment_stay_as_they_are() {
    let variables = [
        ("DRAWDOWN_KAFKA__BROKERS", "a:9092"),
        ("DRAWDOWN_KAFKA__INSTANCE", "007"),
        ("DRAWDOWN_KAFKA__USERNAME", "true"),
        ("DRAWDOWN_KAFKA__PASSWORD", "0123"),
        ("DRAWDOWN_KAFKA__SECURITY_PROTOCOL", "SASL_SSL"),
        ("DRAWDOWN_KAFKA__SASL_MECHANISM", "SCRAM-SHA-512"),
        ("DRAWDOWN_KAFKA__PROPERTIES__QUEUED_MIN_MESSAGES", "5"),
        ("DRAWDOWN_KAFKA__TOPICS__ACCOUNT_EVENTS", "events"),
        ("DRAWDOWN_RULES__RETRY_BACKOFF_S", "1,2"),
        ("DRAWDOWN_RULES__RECHARGE_MINIMUM", "12.5"),
        ("DRAWDOWN_LOGGING__FORMAT", ""),
        ("DRAWDOWN_TEST_BROKERS", "b:9092"),
    ];
    let config = config("", &variables, &[]);
    assert_eq!(kafka(&config).instance, "007");
    assert_eq!(property(&config, "sasl.username"), Some("true"));
    assert_eq!(property(&config, "sasl.password"), Some("0123"));
    assert_eq!(property(&config, "security.protocol"), Some("sasl_ssl"));
    assert_eq!(property(&config, "queued.min.messages"), Some("5"));
    assert_eq!(kafka(&config).topics.events, "events");
    assert_eq!(config.rules.retry_backoff_s, [1, 2]);
    assert_eq!(config.rules.recharge_minimum.to_string(), "12.50");
}

#[test]
fn properties_may_be_nested_or_quoted_and_the_stronger_layer_counts() {
    let file =
        "[kafka]\nbrokers = [\"a:1\"]\n[kafka.properties]\n\"fetch.min.bytes\" = 7\nsocket.keepalive.enable = true";
    let config = config(file, &[], &["kafka.properties.fetch.min.bytes=8"]);
    assert_eq!(property(&config, "fetch.min.bytes"), Some("8"));
    assert_eq!(property(&config, "socket.keepalive.enable"), Some("true"));
}

#[test]
fn every_fault_is_found_in_one_pass_with_its_place_and_what_to_do() {
    let file = "\
[comit]
records_max = 5
[commit]
interval_ms = \"soon\"
records_max = 0
[kafka]
brokers = [\"broker-1\"]
prefix = \"a b\"
username = \"x\"
properties.\"group.id\" = \"y\"
[http]
listen = \"0.0.0.0:80\"
[rules]
recharge_minimum = 0.1
retry_backoff_s = [60, -1]
";
    let variables =
        [("DRAWDOWN_RATING__DEDUP_DAYS", "91"), ("DRAWDOWN_TIME_SOURCE", "clock"), ("DRAWDOWN_LOG__WORKER", "2")];
    let found = faults(file, &variables, &["http.listn=1", "workers=3", "kafka.password=hush", "nothing"]);
    let expected = [
        "drawdown.toml:2: comit.records_max: no such key; did you mean commit.records_max?",
        "environment: DRAWDOWN_TIME_SOURCE: no such key; did you mean DRAWDOWN_TIME__SOURCE?",
        "environment: DRAWDOWN_LOG__WORKER: no such key; did you mean DRAWDOWN_LOG__WORKERS?",
        "--set: http.listn: no such key; did you mean http.listen?",
        "--set: workers: no such key; did you mean log.workers?",
        "--set: kafka.password: every user of the machine can read the command line; put it into a file of its own, or into DRAWDOWN_KAFKA__PASSWORD",
        "--set: nothing: there is no value; write key=value, such as log.workers=2",
        "drawdown.toml:5: commit.records_max: 0 does not do here; write a whole number from 1 to 400000",
        "drawdown.toml:4: commit.interval_ms: \"soon\" does not do here; write a whole number from 1 to 10000",
        "environment: DRAWDOWN_RATING__DEDUP_DAYS: 91 does not do here; write a whole number from 1 to 90",
        "drawdown.toml:7: kafka.brokers: \"broker-1\" is no broker; write host:port, such as broker-1:9092",
        "drawdown.toml:9: kafka.username: is of no use with kafka.security_protocol plaintext; set kafka.security_protocol to sasl_ssl, or leave this out",
        "drawdown.toml:10: kafka.properties.group.id: is set by drawdown itself; use kafka.group",
        "drawdown.toml:14: rules.recharge_minimum: 0.1 does not do here; write an amount of at most six decimals as text, such as \"50.00\"",
        "drawdown.toml:15: rules.retry_backoff_s: [60, -1] does not do here; write whole numbers from 1 to 2592000, such as [1, 2592000]",
        "drawdown.toml:12: http.listen: 0.0.0.0:80 can be reached from other machines, and nobody is asked who he is; listen on 127.0.0.1, give http.keys_file or http.oidc, or set http.allow_unauthenticated = true where the network keeps strangers out",
    ];
    let topics = found.iter().filter(|fault| fault.starts_with("drawdown.toml:8: kafka.prefix: \"a b")).count();
    assert_eq!(topics, 8, "{found:#?}");
    let others: Vec<_> = found.iter().filter(|fault| !fault.contains("kafka.prefix")).collect();
    assert_eq!(others, expected.iter().collect::<Vec<_>>());
}

#[test]
fn what_is_not_toml_is_said_with_its_line_and_the_rest_is_read_all_the_same() {
    let found = faults("[commit]\nrecords_max = = 3\n", &[], &["log.workers=0"]);
    assert!(found[0].starts_with("drawdown.toml:2: not TOML: "), "{found:#?}");
    assert!(found.iter().any(|fault| fault.starts_with("--set: log.workers: 0 does not do")), "{found:#?}");
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (set, start) in [
        (&["log.kind=kafka"] as &[&str], "--set: log.kind: is kafka, but no broker is given"),
        (
            &["kafka.brokers=a:1", "kafka.security_protocol=sasl_ssl"],
            "--set: kafka.security_protocol: sasl_ssl needs kafka.sasl_mechanism",
        ),
        (
            &["kafka.security_protocol=sasl_ssl", "kafka.sasl_mechanism=plain"],
            "configuration: kafka.username: is missing",
        ),
        (
            &["kafka.security_protocol=ssl", "kafka.ca_file=/no/such"],
            "--set: kafka.ca_file: /no/such cannot be read: No such file",
        ),
        (&["kafka.ca_file=/no/such"], "--set: kafka.ca_file: is of no use with kafka.security_protocol plaintext"),
        (&["kafka.topics.debits=cdrs"], "--set: kafka.topics.debits: \"cdrs\" is the topic of cdrs too"),
        (&["kafka.brokers="], "--set: kafka.brokers: is an empty list"),
        (&["kafka.instance=a/b"], "--set: kafka.instance: \"a/b\" is no name of a process"),
        (
            &["kafka.transaction_timeout_s=10", "commit.interval_ms=9000"],
            "--set: commit.interval_ms: leaves a transaction less",
        ),
        (
            &["rating.leap_days_max=7"],
            "--set: rating.leap_days_max: 7 days are no more than the 7 of rating.dedup_days",
        ),
        (&["rules.recharge_minimum=0"], "--set: rules.recharge_minimum: is not above 0"),
        (&["http.listen=localhost"], "--set: http.listen: \"localhost\" is no address"),
        (&[r#"http.trusted_proxies=["10.0.0.0/8", "nginx"]"#], "--set: http.trusted_proxies: \"nginx\" is no network"),
        (&["http.tls_key=a.pem"], "--set: http.tls_key: is given without http.tls_certificate"),
        (&["http.tls_certificate=a.pem"], "--set: http.tls_certificate: is given without http.tls_key"),
        (&["http.keys_file="], "--set: http.keys_file: is empty"),
        (&["http.oidc.issuer=a"], "--set: http.oidc.issuer: is given without http.oidc.jwks_url"),
        (
            &["http.oidc.issuer=a", "http.oidc.audience=b", "http.oidc.jwks_url=http://example.com/keys"],
            "--set: http.oidc.jwks_url: is no address that could be trusted",
        ),
        (&["commit.records_max=400001"], "--set: commit.records_max: 400001 does not do here"),
        (&["log.workers=2"], "--set: log.workers: the embedded store has one partition"),
        (&["embedded.directory="], "--set: embedded.directory: is empty"),
        (&["logging.level=info,=="], "--set: logging.level: \"info,==\" is no level"),
        (
            &["kafka.properties.isolation.level=read_uncommitted"],
            "--set: kafka.properties.isolation.level: is set by drawdown itself",
        ),
        (&["kafka.properties.partitioner=random"], "--set: kafka.properties.partitioner: is set by drawdown itself"),
        (
            &["kafka.properties.producer.partitioner=random"],
            "--set: kafka.properties.producer.partitioner: is set by drawdown itself",
        ),
    ] {
        let found = faults("", &[], set);
        assert!(found.iter().any(|fault| fault.starts_with(start)), "{start}\n{found:#?}");
    }
}

#[test]
fn a_password_comes_from_its_file_and_is_never_shown() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"hush hush\n").unwrap();
    let path = file.path().display().to_string();
    let text = format!(
        "[kafka]\nbrokers = \"a:1\"\nusername = \"u\"\nsecurity_protocol = \"sasl_plaintext\"\nsasl_mechanism = \"PLAIN\"\npassword_file = {path:?}"
    );
    let config = config(&text, &[("DRAWDOWN_KAFKA__PROPERTIES__SSL_KEY_PASSWORD", "quiet")], &[]);
    assert_eq!(property(&config, "sasl.password"), Some("hush hush"));
    assert_eq!(property(&config, "ssl.key.password"), Some("quiet"));
    let shown = format!("{config:?}");
    assert!(!shown.contains("hush") && !shown.contains("quiet"), "{shown}");
    assert!(shown.contains("Secret(…)"));

    let twice = faults(&text, &[("DRAWDOWN_KAFKA__PASSWORD", "quiet")], &[]);
    assert_eq!(twice, ["drawdown.toml:6: kafka.password_file: kafka.password is given too; leave one of the two out"]);
    let wrong = faults(&text.replace(&path, "/no/such"), &[], &[]);
    assert_eq!(wrong.len(), 1, "{wrong:#?}");
    assert!(wrong[0].starts_with("drawdown.toml:6: kafka.password_file: /no/such cannot be read"), "{wrong:#?}");
    let number = faults("kafka.password = 4711", &[], &[]);
    assert!(number.iter().all(|fault| !fault.contains("4711")), "{number:#?}");
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault_with_its_name() {
    let args = ConfigArgs { file: Some("/no/such.toml".into()), set: Vec::new() };
    let Err(Failure::Usage(messages)) = Config::load(&args) else { panic!("it is not there") };
    assert!(messages[0].starts_with("/no/such.toml: cannot be read: "), "{messages:?}");
}

#[test]
fn beyond_this_machine_somebody_is_asked_who_he_is() {
    let listen = "http.listen=0.0.0.0:9464";
    assert_eq!(faults("", &[], &[listen]).len(), 1);
    let oidc = ["http.oidc.issuer=a", "http.oidc.audience=b", "http.oidc.jwks_url=https://example.com/keys"];
    assert!(config("", &[], &[listen, "http.keys_file=keys.toml"]).http.asks());
    assert!(config("", &[], &[listen, oidc[0], oidc[1], oidc[2]]).http.asks());
    let allowed = config("", &[], &[listen, "http.allow_unauthenticated=true"]);
    assert!(!allowed.http.asks());
    assert_eq!(allowed.http.warnings().len(), 2, "no TLS, and nobody is asked");
    let keyed = config("", &[], &[listen, "http.keys_file=keys.toml"]);
    assert!(matches!(&keyed.http.warnings()[..], [only] if only.contains("there is no TLS")));
    let tls = config("", &[], &[listen, "http.keys_file=k", "http.tls_certificate=c", "http.tls_key=d"]);
    assert!(tls.http.warnings().is_empty() && tls.http.tls.is_some());
    assert!(config("", &[], &[]).http.warnings().is_empty());
}
