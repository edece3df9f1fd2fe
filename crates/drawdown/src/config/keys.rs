//! Every key of the configuration: its kind, default and meaning in one list, from which the sample file is written too.
//!
//! Invariant: every key here is read by [`super::Config`], and nothing is read that is not here (a test says so).

use std::fmt::Write as _;

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Sections and name, with dots between. One that ends with `.*` takes any names.
    pub path: &'static str,
    pub kind: Kind,
    /// As it would stand in the file; empty where it has none, or one that depends on others.
    pub default: &'static str,
    /// Shown in the sample where there is no default.
    pub example: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

/// What a value must be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Text,
    /// A text that is never shown.
    Secret,
    Bool,
    /// A whole number within bounds, both included.
    Whole(u64, u64),
    /// Several of them.
    Wholes(u64, u64),
    /// An amount of money, as text or as a whole number.
    Money,
    Choice(&'static [&'static str]),
    /// Several texts, in an array or with commas between.
    Texts,
}

impl Kind {
    /// What to write, for whoever wrote something else.
    pub fn mend(self) -> String {
        match self {
            Kind::Text | Kind::Secret => "write a text".to_owned(),
            Kind::Bool => "write true or false".to_owned(),
            Kind::Whole(min, max) => format!("write a whole number from {min} to {max}"),
            Kind::Wholes(min, max) => format!("write whole numbers from {min} to {max}, such as [{min}, {max}]"),
            Kind::Money => "write an amount of at most six decimals as text, such as \"50.00\"".to_owned(),
            Kind::Choice(names) => format!("write {}", names.join(" or ")),
            Kind::Texts => "write a list of texts, such as [\"a\", \"b\"]".to_owned(),
        }
    }
}

const fn key(path: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Key {
    Key { path, kind, default, example: "", meaning }
}

const fn open(path: &'static str, kind: Kind, example: &'static str, meaning: &'static str) -> Key {
    Key { path, kind, default: "", example, meaning }
}

const DAY_S: u64 = 86_400;

/// The keys, section by section.
pub const KEYS: &[Key] = &[
    open(
        "log.kind",
        Kind::Choice(&["embedded", "kafka"]),
        "\"embedded\"",
        "What the pipeline runs on: a store on this machine's disk, or Kafka. Without it: Kafka if kafka.brokers is given.",
    ),
    open(
        "log.workers",
        Kind::Whole(1, 256),
        "1",
        "Threads that rate. Without it as many as there are cores; on the embedded store, which has one partition, one.",
    ),
    key(
        "log.worker_nice",
        Kind::Whole(0, 19),
        "10",
        "How far threads that rate stand back where cores are short, so that a backlog delays no authorisation: the niceness of the system, 0 for not at all.",
    ),
    key(
        "embedded.directory",
        Kind::Text,
        "\"drawdown-data\"",
        "Where the embedded store lives, and beside it its spool. One process at a time.",
    ),
    open(
        "spool.source",
        Kind::Text,
        "\"asterisk-csv,zone=Europe/Berlin,region=DE\"",
        "How records in files are written that are dropped into the spool without saying so: a source by name, or the file of a profile. Without it: rating.source.",
    ),
    open("spool.org", Kind::Text, "\"contoso\"", "The organisation of those that name none."),
    open(
        "kafka.brokers",
        Kind::Texts,
        "[\"127.0.0.1:9092\"]",
        "Where to find the cluster: host:port, several for safety.",
    ),
    key("kafka.prefix", Kind::Text, "\"\"", "Begins the names of all topics, such as \"prod.\"."),
    key("kafka.group", Kind::Text, "\"drawdown\"", "The consumer group; transactional ids begin with it too."),
    open(
        "kafka.instance",
        Kind::Text,
        "\"0\"",
        "This process among those of the group: the same after a restart, and never that of another process, or the two fence each other. Without it: the name of the host.",
    ),
    key(
        "kafka.transaction_timeout_s",
        Kind::Whole(10, 900),
        "60",
        "After how long the broker ends the transaction of a process that died. The loss of a broker must fit in.",
    ),
    open(
        "kafka.security_protocol",
        Kind::Choice(&["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]),
        "\"sasl_ssl\"",
        "How to talk to the cluster. Without it: plaintext.",
    ),
    open(
        "kafka.sasl_mechanism",
        Kind::Choice(&["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]),
        "\"SCRAM-SHA-512\"",
        "How to prove who we are. OAUTHBEARER is set up by properties.",
    ),
    open("kafka.username", Kind::Text, "\"drawdown\"", "Who we are."),
    open(
        "kafka.password",
        Kind::Secret,
        "\"…\"",
        "The password: better in DRAWDOWN_KAFKA__PASSWORD or in a file of its own.",
    ),
    open(
        "kafka.password_file",
        Kind::Text,
        "\"/run/credentials/drawdown.service/kafka-password\"",
        "The file that holds the password, and nothing else.",
    ),
    open(
        "kafka.ca_file",
        Kind::Text,
        "\"/etc/drawdown/ca.pem\"",
        "The certificates that signed the brokers', if the system does not know them.",
    ),
    open(
        "kafka.topics.commands",
        Kind::Text,
        "\"commands\"",
        "A topic's whole name, where prefix and the usual name do not suit. So for each of them.",
    ),
    open("kafka.topics.cdrs", Kind::Text, "\"cdrs\"", ""),
    open("kafka.topics.debits", Kind::Text, "\"debits\"", ""),
    open("kafka.topics.account-events", Kind::Text, "\"account-events\"", ""),
    open("kafka.topics.rejects", Kind::Text, "\"rejects\"", ""),
    open("kafka.topics.accounts", Kind::Text, "\"accounts\"", ""),
    open("kafka.topics.seen", Kind::Text, "\"seen\"", ""),
    open("kafka.topics.decks", Kind::Text, "\"decks\"", ""),
    open(
        "kafka.properties.*",
        Kind::Text,
        "queued.min.messages = 100000",
        "Any property of librdkafka, by its name. What exactly-once rests on is set by drawdown and refused here.",
    ),
    key(
        "commit.records_max",
        Kind::Whole(1, 400_000),
        "10000",
        "A transaction ends after so many records (400000 at most: their identities are one message of 8 MiB),",
    ),
    key("commit.bytes_max", Kind::Whole(65_536, 1_073_741_824), "16777216", "or so many bytes of them,"),
    key("commit.interval_ms", Kind::Whole(1, 10_000), "50", "or so long after its first one, whichever comes first."),
    key(
        "time.source",
        Kind::Choice(&["clock", "records"]),
        "\"clock\"",
        "What lets time pass where no record arrives, so that lots expire and requests are sent again: the clock, or only the records themselves.",
    ),
    key("time.tick_interval_ms", Kind::Whole(10, 3_600_000), "1000", "How often the clock is asked."),
    key(
        "time.tick_delay_s",
        Kind::Whole(0, 3_600),
        "5",
        "How far a tick stays behind the clock, for records that are on their way.",
    ),
    key("rating.decks", Kind::Texts, "[]", "Manifests of decks in files, beside those that were published."),
    key(
        "rating.rate_plans",
        Kind::Texts,
        "[]",
        "Rate plans. With a single deck and none given, every plan means that deck.",
    ),
    key(
        "rating.source",
        Kind::Text,
        "\"native\"",
        "How records are written that do not say so themselves: a source by name, or the file of a profile.",
    ),
    key(
        "rating.open_unknown",
        Kind::Bool,
        "false",
        "Open the account of an organisation when it is first seen, post-usage, in the currency of the only rate plan; otherwise its records are rejected.",
    ),
    key(
        "rating.dedup_days",
        Kind::Whole(1, 90),
        "7",
        "How many days of call starts are remembered to find duplicates; older records are rejected. At most 20 bytes a record.",
    ),
    key("rating.future_tolerance_s", Kind::Whole(0, DAY_S), "300", "How far ahead of its arrival a call may start."),
    key(
        "rating.leap_days_max",
        Kind::Whole(1, 36_600),
        "3660",
        "How far an input may move an organisation's time ahead at once: what lies beyond is a broken clock.",
    ),
    key(
        "rules.plans",
        Kind::Text,
        "\"teams\"",
        "What licences bring: included minutes, and the right to draw credits. \"teams\", or the file of a plan catalogue (config/plans/teams.toml is one).",
    ),
    key("rules.lot_months", Kind::Whole(1, 1_200), "12", "How many calendar months a lot is valid."),
    key(
        "rules.forfeit_grace_s",
        Kind::Whole(0, 366 * DAY_S),
        "172800",
        "How long after its expiry a lot still pays for calls that were made in time.",
    ),
    key(
        "rules.expiry_notice_s",
        Kind::Whole(0, 366 * DAY_S),
        "2592000",
        "How long before a lot expires with money in it an event says so (30 days); 0 for never. Lots with less time left when they come are not announced.",
    ),
    key(
        "rules.future_tolerance_s",
        Kind::Whole(0, DAY_S),
        "300",
        "How far ahead of its arrival a purchase may be dated.",
    ),
    key("rules.recharge_minimum", Kind::Money, "\"50.00\"", "The least amount of an automatic recharge."),
    key(
        "rules.recharge_whole_units",
        Kind::Bool,
        "true",
        "Recharge and trigger amounts must be whole units of the currency.",
    ),
    key(
        "rules.resend_s",
        Kind::Whole(1, 30 * DAY_S),
        "900",
        "After how long an unanswered recharge request is sent again.",
    ),
    key(
        "rules.retry_backoff_s",
        Kind::Wholes(1, 30 * DAY_S),
        "[60, 300, 1800]",
        "How long after each failed payment the next one is tried; one more failure is final.",
    ),
    key(
        "rules.cooldown_s",
        Kind::Whole(0, 366 * DAY_S),
        "86400",
        "How long a final failure switches automatic recharging off.",
    ),
    key(
        "http.listen",
        Kind::Text,
        "\"127.0.0.1:9464\"",
        "Where metrics, health and the API are served. Beyond this machine only where http.keys_file or http.oidc say who may ask, or by permission.",
    ),
    open(
        "http.advertise",
        Kind::Text,
        "\"http://drawdown-0.drawdown:9464\"",
        "Where the other processes of a group reach this one: they pass on what it decides. Without it: http.listen.",
    ),
    key(
        "http.trusted_proxies",
        Kind::Texts,
        "[]",
        "Networks of proxies, and of the other processes of a group: whom they say in X-Forwarded-For that a request comes from stands in the actor of its command, and has the rate.",
    ),
    key(
        "http.allow_unauthenticated",
        Kind::Bool,
        "false",
        "That permission: whoever reaches the address may read every balance, and change it.",
    ),
    key(
        "http.stale_after_s",
        Kind::Whole(1, 3_600),
        "30",
        "A worker that was not heard of for so long is taken for stuck, and /healthz says so.",
    ),
    open(
        "http.keys_file",
        Kind::Text,
        "\"/etc/drawdown/keys.toml\"",
        "The file of API keys, as `drawdown key new` writes it. It is read again when it changes.",
    ),
    open(
        "http.tls_certificate",
        Kind::Text,
        "\"/etc/drawdown/tls/cert.pem\"",
        "The certificate, and those between it and the root, in PEM. It is read again when it changes, and so is its key.",
    ),
    open("http.tls_key", Kind::Text, "\"/etc/drawdown/tls/key.pem\"", "The key of the certificate, in PEM."),
    key(
        "http.body_max_bytes",
        Kind::Whole(1_024, 1_073_741_824),
        "16777216",
        "How long one request of usage records may be; others are shorter.",
    ),
    key(
        "http.rate_per_second",
        Kind::Whole(1, 1_000_000),
        "1000",
        "How many requests a second each key or subject of a token may send in the long run,",
    ),
    key(
        "http.rate_burst",
        Kind::Whole(1, 1_000_000),
        "2000",
        "and how many at once. A key may have figures of its own.",
    ),
    open(
        "http.oidc.issuer",
        Kind::Text,
        "\"https://login.example.com/\"",
        "Whose tokens count: their iss, to the letter.",
    ),
    open("http.oidc.audience", Kind::Text, "\"drawdown\"", "Whom a token must be for: in its aud."),
    open(
        "http.oidc.jwks_url",
        Kind::Text,
        "\"https://login.example.com/keys\"",
        "Where the issuer shows its keys (RS256, ES256 or EdDSA); https, except on this machine.",
    ),
    key(
        "http.oidc.scopes_claim",
        Kind::Text,
        "\"scope\"",
        "The claim that holds scopes: a text with spaces between, or a list.",
    ),
    key("http.oidc.orgs_claim", Kind::Text, "\"orgs\"", "The claim that holds organisations: a list, or one."),
    key(
        "http.oidc.all_orgs_without_claim",
        Kind::Bool,
        "false",
        "A token without that claim is for all organisations; otherwise for none.",
    ),
    key("authorisation.maximum_s", Kind::Whole(1, 604_800), "14400", "The longest that a call may last."),
    key(
        "authorisation.slice_s",
        Kind::Whole(1, 604_800),
        "300",
        "For how long a call is granted at a time, unless its switch asks for another time.",
    ),
    key(
        "authorisation.grace_s",
        Kind::Whole(0, 604_800),
        "300",
        "How long after the end of what was granted money is kept for the call's record.",
    ),
    key(
        "authorisation.overdraft",
        Kind::Money,
        "\"0.00\"",
        "How far beyond its balance an organisation may be promised money; strict accounts never are.",
    ),
    key(
        "authorisation.calls_max_per_org",
        Kind::Whole(1, 10_000_000),
        "20000",
        "How many calls of one organisation may run at once,",
    ),
    key("authorisation.calls_max", Kind::Whole(1, 100_000_000), "500000", "and how many in all."),
    open(
        "payment.provider",
        Kind::Choice(&["http", "stripe"]),
        "\"http\"",
        "Who charges cards for automatic recharges: a gateway that speaks the contract of config/payment, or Stripe. \
         Without it nothing is charged here.",
    ),
    open("payment.url", Kind::Text, "\"https://gateway.example.com\"", "Where the gateway is. Stripe's is known."),
    open(
        "payment.secret",
        Kind::Secret,
        "\"…\"",
        "The gateway's secret: better in DRAWDOWN_PAYMENT__SECRET or in a file of its own.",
    ),
    open(
        "payment.secret_file",
        Kind::Text,
        "\"/run/credentials/drawdown.service/payment-secret\"",
        "The file that holds the secret, and nothing else.",
    ),
    key("payment.timeout_s", Kind::Whole(1, 300), "10", "How long an answer of the gateway is waited for."),
    key(
        "payment.namespace",
        Kind::Text,
        "\"drawdown\"",
        "Begins the keys under which charges are made: another one for every log that shares a gateway, since recharges are \
         numbered anew in a new log.",
    ),
    open("mail.host", Kind::Text, "\"mail.example.com\"", "The mail server. Without it no mail is sent."),
    key("mail.port", Kind::Whole(1, 65_535), "587", "Its port."),
    key(
        "mail.encryption",
        Kind::Choice(&["starttls", "implicit", "none"]),
        "\"starttls\"",
        "How the connection is encrypted.",
    ),
    open("mail.username", Kind::Text, "\"drawdown\"", "Who we are to it."),
    open(
        "mail.password",
        Kind::Secret,
        "\"…\"",
        "The password: better in DRAWDOWN_MAIL__PASSWORD or in a file of its own.",
    ),
    open(
        "mail.password_file",
        Kind::Text,
        "\"/run/credentials/drawdown.service/mail-password\"",
        "The file that holds the password, and nothing else.",
    ),
    open(
        "mail.ca_file",
        Kind::Text,
        "\"/etc/drawdown/mail-ca.pem\"",
        "The certificates that signed the server's, if the system does not know them.",
    ),
    key("mail.from", Kind::Text, "\"drawdown@localhost\"", "Whom mails are from."),
    open("mail.reply_to", Kind::Text, "\"billing@example.com\"", "Where answers go, if elsewhere."),
    open(
        "mail.contacts",
        Kind::Text,
        "\"/etc/drawdown/contacts.toml\"",
        "Who gets mail for which organisation (config/mail). It is read again when it changes.",
    ),
    open(
        "mail.templates",
        Kind::Text,
        "\"/etc/drawdown/mail\"",
        "A directory of templates that take the place of ours.",
    ),
    open(
        "webhooks.endpoints",
        Kind::Text,
        "\"/etc/drawdown/webhooks.toml\"",
        "The file of endpoints (config/webhooks). Without it nobody is called.",
    ),
    open(
        "dead_letters.file",
        Kind::Text,
        "\"drawdown-data/dead-letters.jsonl\"",
        "Where mails and calls are kept that were given up, for `drawdown dead-letters`. Without it: \
         dead-letters.jsonl in embedded.directory.",
    ),
    key(
        "logging.level",
        Kind::Text,
        "\"info\"",
        "error, warn, info, debug or trace; for one part alone: \"info,drawdown_stream=debug\".",
    ),
    key("logging.format", Kind::Choice(&["text", "json"]), "\"text\"", "For people, or one JSON object a line."),
];

/// The key of `path`.
pub fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| match key.path.strip_suffix('*') {
        Some(section) => path.len() > section.len() && path.starts_with(section),
        None => key.path == path,
    })
}

/// What somebody may have meant by a key that does not exist: the same name in another section, or a similar one.
pub fn similar(path: &str) -> Option<&'static str> {
    const LIKENESS_MIN: f64 = 0.85;
    let name_of = |path: &'static str| path.rsplit('.').next().unwrap_or(path);
    let wanted = path.rsplit('.').next().unwrap_or(path);
    let likeness = |key: &Key| {
        let of_name = if name_of(key.path) == wanted { 0.95 } else { 0.0 };
        strsim::jaro_winkler(key.path, path).max(of_name)
    };
    let best = KEYS.iter().map(|key| (likeness(key), key.path)).max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 >= LIKENESS_MIN).then_some(best.1)
}

/// The name of the environment's variable for a key.
pub fn variable_of(path: &str) -> String {
    let mut name = super::layers::PREFIX.to_owned();
    match path.strip_prefix(super::PROPERTIES) {
        Some(property) => {
            name += "KAFKA__PROPERTIES__";
            name += &property.replace('.', "_");
        }
        None => name += &path.replace('.', "__").replace('-', "_"),
    }
    name.to_ascii_uppercase()
}

/// `config/drawdown.toml`: every key with its meaning and default; those without one are commented out.
pub fn sample() -> String {
    let mut text = "\
# The configuration of `drawdown serve` and its companions. Every key is here with its default; where a line is
# commented out, the key has none. Stronger than this file are variables of the environment, such as
# DRAWDOWN_KAFKA__BROKERS=broker-1:9092,broker-2:9092 (sections are divided by two underscores), and stronger
# than those the command line: --set kafka.brokers=broker-1:9092.
# `drawdown serve --check` lists everything that is wrong. Paths are relative to the working directory.
"
    .to_owned();
    let mut section = "";
    for key in KEYS {
        let (this_section, name) = key.path.rsplit_once('.').expect("invariant: every key has a section");
        if this_section != section {
            section = this_section;
            let _ = writeln!(text, "\n[{section}]");
        }
        wrapped(key.meaning, &mut text);
        let _ = match (name, key.default) {
            ("*", _) => writeln!(text, "# {}", key.example),
            (_, "") => writeln!(text, "# {name} = {}", key.example),
            (_, default) => writeln!(text, "{name} = {default}"),
        };
    }
    text
}

/// As comments of at most 110 columns.
fn wrapped(meaning: &str, text: &mut String) {
    const COLUMNS: usize = 110;
    let mut column = 0;
    for word in meaning.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > COLUMNS {
            text.push('\n');
            column = 0;
        }
        if column == 0 {
            text.push('#');
            column = 1;
        }
        text.push(' ');
        text.push_str(word);
        column += 1 + length;
    }
    if column > 0 {
        text.push('\n');
    }
}
