//! Every metric: name, kind, labels and meaning, in one list.
//!
//! Units are in the names: `_seconds`, `_bytes`, `_micros` (millionths of a currency unit, whole numbers), `_total` for
//! what only grows. Labels have few values, of this list or of the configuration: never an organisation, a number or an id
//! of a record, nor anything else that comes with a request.

use drawdown_engine::log::Output;
use drawdown_wire::Reason;

use crate::authorise::{RefusalReason, Released};
use crate::problem::Limit;

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It comes and goes.
    Gauge,
    /// How often which sizes occurred, with the upper bounds that are told apart.
    Histogram(Bounds),
}

/// The upper bounds of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounds {
    /// Of a commit: half a millisecond to half a minute.
    CommitSeconds,
    /// Of an answer over HTTP: a quarter of a millisecond to ten minutes, which a report may take.
    AnswerSeconds,
    /// Of a decision on a call: a microsecond to a second.
    DecisionSeconds,
    /// Of a request to somebody else: five milliseconds to a minute.
    RequestSeconds,
    /// From asking for money to its final answer: a second to a week.
    SettleSeconds,
    /// Records: 1 to a million.
    Records,
    /// Bytes: a kibibyte to a gibibyte.
    Bytes,
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($const:ident = $kind:expr, $name:literal $labels:expr, $help:literal;)+) => {
        $(#[doc = $help] pub const $const: Metric = Metric { name: $name, kind: $kind, labels: &$labels, help: $help };)+

        /// All of them.
        pub const ALL: &[Metric] = &[$($const,)+];
    };
}

use Kind::{Counter, Gauge, Histogram};

metrics! {
    BUILD_INFO = Gauge, "drawdown_build_info" ["version"], "Always 1: the version is in the label";
    START_TIME = Gauge, "process_start_time_seconds" [], "When the process began, since 1970";
    RESIDENT_MEMORY = Gauge, "process_resident_memory_bytes" [], "Memory of the process that is in RAM";

    RECORDS = Counter, "drawdown_records_total" ["outcome"], "Usage records committed, by outcome: debited, duplicate or rejected; nothing else can become of one";
    REJECTED = Counter, "drawdown_rejected_total" ["reason"], "Usage records rejected, by reason";
    UNRATED = Counter, "drawdown_unrated_total" [], "Usage records debited without a price, since no row fits them";
    CLAIMED = Counter, "drawdown_claimed_micros_total" ["outcome"], "What upstream says the records cost, by outcome; currencies are not told apart, as it does not";
    CHARGED = Counter, "drawdown_charged_micros_total" ["currency"], "What debits charged";
    FUNDED = Counter, "drawdown_funded_micros_total" ["currency", "funder"], "Who paid it: lot, overdraft, postUsage, uncollected or unlicensed (nobody)";
    CORRECTIONS = Counter, "drawdown_corrections_total" [], "Usage records that replaced or withdrew one debited before";
    REVERSED = Counter, "drawdown_reversed_micros_total" ["currency", "funder"], "What corrections gave back of charges, by who had paid";
    COMMANDS = Counter, "drawdown_commands_total" ["outcome"], "Commands committed, by outcome: applied, refused, duplicate or rejected";
    REFUSED = Counter, "drawdown_refused_total" ["reason"], "Commands refused by their account, by reason";
    EVENTS = Counter, "drawdown_account_events_total" ["type"], "Account events, by type";

    COMMITS = Counter, "drawdown_commits_total" [], "Transactions committed";
    COMMIT_SECONDS = Histogram(Bounds::CommitSeconds), "drawdown_commit_seconds" [], "From the first record of a transaction to its being final";
    COMMIT_RECORDS = Histogram(Bounds::Records), "drawdown_commit_records" [], "Records and commands of a transaction";
    COMMIT_BYTES = Histogram(Bounds::Bytes), "drawdown_commit_bytes" [], "Bytes read for a transaction";
    WRITTEN = Counter, "drawdown_written_bytes_total" ["output"], "Bytes committed to each output";
    ABORTS = Counter, "drawdown_aborts_total" [], "Transactions aborted, rolled back and done again";
    WORKER_FAILURES = Counter, "drawdown_worker_failures_total" [], "Workers that failed and began again from what was committed last";
    REBALANCES = Counter, "drawdown_rebalances_total" [], "Changes in which partitions a worker owns";
    PARTITIONS = Gauge, "drawdown_partitions_assigned" ["worker"], "Partitions that a worker owns";
    LAG_RECORDS = Gauge, "drawdown_lag_records" ["partition"], "Records and commands that wait in a partition";
    LAG_SECONDS = Gauge, "drawdown_lag_seconds" ["partition"], "How long ago the last committed record of a partition arrived, if others wait behind it, else 0";
    RESTORING = Gauge, "drawdown_restoring" ["worker"], "1 while a worker reads its state back";
    RESTORE_READ = Gauge, "drawdown_restore_read_messages" ["worker"], "Messages of its state that a worker has read back";
    RESTORE_TOTAL = Gauge, "drawdown_restore_messages" ["worker"], "Messages of its state that a worker reads back in all";
    ACCOUNTS = Gauge, "drawdown_accounts" ["worker"], "Accounts that a worker keeps";
    STATE_BYTES = Gauge, "drawdown_state_bytes" [], "The accounts as readers see them, in bytes; those that rate take about three times that besides";
    DEDUP_BYTES = Gauge, "drawdown_dedup_bytes" ["worker"], "Memory of the identities that find duplicates";

    RECHARGE_SETTLE_SECONDS = Histogram(Bounds::SettleSeconds), "drawdown_recharge_settle_seconds" [], "From asking for a recharge to its final answer";
    RECHARGES_OUTSTANDING = Gauge, "drawdown_recharges_outstanding" [], "Recharges without a final answer";
    RECHARGE_OLDEST = Gauge, "drawdown_recharge_outstanding_oldest_seconds" [], "How long ago the oldest of them was asked for";
    BALANCE = Gauge, "drawdown_balance_micros" ["currency"], "Prepaid money that can be spent";
    OVERDRAFT = Gauge, "drawdown_overdraft_micros" ["currency"], "Owed by accounts until their next money";
    POST_USAGE = Gauge, "drawdown_post_usage_micros" ["currency"], "Accrued for post-usage invoices, in all";
    EXPIRING = Gauge, "drawdown_expiring_micros" ["currency"], "Prepaid money that expires within 30 days if it is not spent";
    FORFEITED = Gauge, "drawdown_forfeited_micros" ["currency"], "Money of lots that expired unspent, in all";
    EXHAUSTED = Gauge, "drawdown_accounts_exhausted" [], "Open prepaid accounts that had money and have none left";
    VIEWS_STALENESS = Gauge, "drawdown_views_staleness_seconds" [], "How long ago what readers see was brought up to date";

    HTTP_REQUESTS = Counter, "drawdown_http_requests_total" ["route", "method", "status"], "Requests answered, by the path in the API's description (other: none of it), method and class of status";
    HTTP_SECONDS = Histogram(Bounds::AnswerSeconds), "drawdown_http_request_seconds" ["route"], "From the head of a request to the head of its answer";
    HTTP_REFUSED = Counter, "drawdown_http_refused_total" ["reason"], "Requests, and connections, refused because a limit was reached, by which";
    HTTP_CONNECTIONS = Gauge, "drawdown_http_connections" [], "Connections that are open";
    HTTP_STREAMS = Gauge, "drawdown_http_streams" [], "Streams of events that are followed";
    WRITES = Counter, "drawdown_api_commands_total" ["type", "answer"], "Commands given over HTTP, by type and answer: done, pending (202), refused, or failed (not known to be on the log)";
    REPLAYS = Counter, "drawdown_api_replays_total" ["type"], "Commands given again under their key, and answered as the first time";

    AUTHORISATIONS = Counter, "drawdown_authorisations_total" ["outcome"], "Authorisations and extensions decided, by outcome: granted or refused";
    AUTHORISATIONS_REFUSED = Counter, "drawdown_authorisations_refused_total" ["reason"], "Those that were refused, by reason";
    AUTHORISATION_SECONDS = Histogram(Bounds::DecisionSeconds), "drawdown_authorisation_seconds" [], "How long a decision takes, without HTTP";
    RESERVATIONS = Gauge, "drawdown_reservations" [], "Calls that something is kept for";
    RESERVED = Gauge, "drawdown_reserved_micros" ["currency"], "Money promised to running calls";
    RELEASED = Counter, "drawdown_reservations_released_total" ["by"], "Reservations given up, by what: the call's record, a request, or time";

    CONNECTOR_RUNNING = Gauge, "drawdown_connector_running" ["connector"], "1 while a connector is at work: payment, mail, or webhook- and the endpoint's name";
    CONNECTOR_LAG_EVENTS = Gauge, "drawdown_connector_lag_events" ["connector"], "Account events that a connector has not let go of";
    CONNECTOR_LAG_SECONDS = Gauge, "drawdown_connector_lag_seconds" ["connector"], "How long ago the oldest of those that it has read came onto the log";
    CONNECTOR_UNDECODABLE = Counter, "drawdown_connector_undecodable_total" ["connector"], "Lines that a connector passed over, since they are no account events";
    CHARGES = Counter, "drawdown_charges_total" ["outcome"], "What came of charging recharges: succeeded, declined, failed (tried again as another attempt), unanswered (asked again under the same key), or agreed (paid by agreement, without the gateway)";
    CHARGE_SECONDS = Histogram(Bounds::RequestSeconds), "drawdown_charge_seconds" [], "How long a charge is at the gateway, answered or not";
    CHARGES_OPEN = Gauge, "drawdown_charges_open" [], "Charges without an answer";
    CHARGES_LET_GO = Counter, "drawdown_charges_let_go_total" [], "Charges that had no answer for so long that they were left to the next request";
    MAILS = Counter, "drawdown_mails_total" ["outcome"], "Mails sent, put off (each time), or dead";
    MAILS_WITHOUT_CONTACT = Counter, "drawdown_mails_without_contact_total" [], "Events that nobody was written to about, since nobody is known";
    WEBHOOKS = Counter, "drawdown_webhooks_total" ["endpoint", "outcome"], "Events delivered to an endpoint, retried (each time), or dead";
    WEBHOOK_SECONDS = Histogram(Bounds::RequestSeconds), "drawdown_webhook_seconds" ["endpoint"], "How long a request to an endpoint takes, whatever comes of it";
    DEAD_LETTERS = Gauge, "drawdown_dead_letters" ["channel"], "Mails and calls of webhooks that were given up and wait for somebody";

    SPOOL_FILES = Gauge, "drawdown_spool_files" ["state"], "Files in the spool: pending or failed";
    DECK_VERSION = Gauge, "drawdown_deck_version" ["deck"], "The version of a deck that prices calls which start now";
    REPORT_AGE = Gauge, "drawdown_worker_report_age_seconds" ["worker"], "How long ago a worker was last heard of";
    HEALTHY = Gauge, "drawdown_healthy" [], "1 if every worker was heard of lately";
    READY = Gauge, "drawdown_ready" [], "1 if every worker has its partitions and their state";
}

/// What can become of a usage record.
pub const OUTCOMES: [&str; 3] = ["debited", "duplicate", "rejected"];
/// What can become of a command.
pub const COMMAND_OUTCOMES: [&str; 4] = ["applied", "refused", "duplicate", "rejected"];
/// Who can pay.
pub const FUNDERS: [&str; 5] = ["lot", "overdraft", "postUsage", "uncollected", "unlicensed"];
/// The states of a file in the spool.
pub const SPOOL_STATES: [&str; 2] = ["pending", "failed"];
/// The classes of an answer's status.
pub const STATUS_CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
/// What is served beside the API; the description counts as its page.
pub const PAGES: [&str; 4] = ["/metrics", "/healthz", "/readyz", "/docs"];
/// What a command over HTTP is answered with.
pub const ANSWERS: [&str; 4] = ["done", "pending", "refused", "failed"];
/// How authorisations end.
pub const DECISIONS: [&str; 2] = ["granted", "refused"];
/// What can come of charging a recharge.
pub const CHARGE_OUTCOMES: [&str; 5] = ["succeeded", "declined", "failed", "unanswered", "agreed"];
/// What can come of a mail.
pub const MAIL_OUTCOMES: [&str; 3] = ["sent", "put-off", "dead"];
/// What can come of an event for an endpoint.
pub const WEBHOOK_OUTCOMES: [&str; 3] = ["delivered", "retried", "dead"];
/// How what is dead was sent.
pub const CHANNELS: [&str; 2] = ["mail", "webhook"];
/// Stands for a label's value that is none of the known ones.
pub const OTHER: &str = "other";

/// The types of account events (a test holds them against the schema).
pub use drawdown_wire::event::NAMES as EVENT_TYPES;

/// The types of commands (a test holds them against the schema).
pub const COMMAND_TYPES: [&str; 11] = [
    "openAccount",
    "addFunds",
    "configureAutoRecharge",
    "settleRecharge",
    "adjust",
    "refundLot",
    "setRatePlan",
    "setMode",
    "closeAccount",
    "assignLicence",
    "removeLicence",
];

/// Refusals that are counted each by itself; the others are together.
pub const REFUSALS: [&str; 7] = [
    "account-exists",
    "account-closed",
    "unknown-rate-plan",
    "unknown-recharge",
    "already-settled",
    "recharge-amount-mismatch",
    "insufficient-balance",
];

/// The values of a rejection's label.
pub fn reasons() -> [&'static str; Reason::ALL.len()] {
    Reason::ALL.map(Reason::name)
}

/// The values of the label of a limit.
pub fn limits() -> [&'static str; Limit::ALL.len()] {
    Limit::ALL.map(Limit::name)
}

/// The values of the label of a call's refusal.
pub fn call_refusals() -> [&'static str; RefusalReason::ALL.len()] {
    RefusalReason::ALL.map(RefusalReason::name)
}

/// The values of the label of what ends a reservation.
pub fn releases() -> [&'static str; Released::ALL.len()] {
    Released::ALL.map(Released::name)
}

/// The values of an output's label.
pub fn outputs() -> [&'static str; Output::ALL.len()] {
    Output::ALL.map(Output::name)
}

impl Bounds {
    /// The bounds, ascending.
    pub fn values(self) -> Vec<f64> {
        match self {
            Bounds::CommitSeconds => {
                vec![
                    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
                    30.0,
                ]
            }
            Bounds::AnswerSeconds => {
                vec![
                    0.000_25, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
                    60.0, 600.0,
                ]
            }
            Bounds::DecisionSeconds => {
                vec![
                    1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1,
                    1.0,
                ]
            }
            Bounds::RequestSeconds => {
                vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0]
            }
            Bounds::SettleSeconds => {
                vec![
                    1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 86_400.0, 259_200.0,
                    604_800.0,
                ]
            }
            Bounds::Records => vec![1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 5e3, 1e4, 3e4, 1e5, 1e6],
            Bounds::Bytes => (10..=30).step_by(2).map(|power| f64::from(1_u32 << power)).collect(),
        }
    }
}
