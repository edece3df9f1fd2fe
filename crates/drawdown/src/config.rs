//! The configuration of a running pipeline: file, environment and command line, checked whole before anything starts.
//!
//! Invariants: a [`Config`] that exists can be worked with, nothing in it is missing or contradicts itself; every fault
//! of a configuration is found in one pass, with the place it was given at and what to do. Decks, rate plans and source
//! profiles are only named here: who reads them finds their faults.

mod connect;
mod http;
mod kafka;
mod keys;
mod layers;
mod reader;
mod secret;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use drawdown_api::authorise;
use drawdown_engine::Limits;
use drawdown_ledger::{Plans, Rules};
use drawdown_rating::Fault;

use crate::exit::{Done, Failure, Run};
pub use connect::{Connect, Mail, Payment, Provider};
pub use http::Http;
pub use kafka::Kafka;
use keys::sample;
use layers::Inputs;
use reader::Reader;
pub use secret::Secret;

/// Begins the keys that name a property of the Kafka client.
const PROPERTIES: &str = "kafka.properties.";

/// Where a command's configuration comes from.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct ConfigArgs {
    /// The configuration file; else what DRAWDOWN_CONFIG names, else drawdown.toml if it is there
    #[arg(long = "config", value_name = "FILE")]
    file: Option<PathBuf>,
    /// One key of the configuration, stronger than file and environment; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// Print a configuration file with every key, its meaning and its default
#[derive(Debug, ClapArgs)]
pub struct SampleArgs {}

/// Prints the sample.
pub fn print_sample(_: &SampleArgs) -> Run {
    std::io::stdout().lock().write_all(sample().as_bytes())?;
    Ok(Done::Well)
}

/// A configuration without fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file it was read from, for the log.
    pub file: Option<String>,
    /// What the pipeline runs on.
    pub log: Log,
    /// How many threads rate.
    pub workers: usize,
    /// The niceness of each.
    pub worker_nice: u8,
    pub commit: Commit,
    pub time: Time,
    pub rating: Rating,
    /// The figures of the ledger.
    pub rules: Rules,
    pub http: Http,
    /// How calls are authorised.
    pub authorisation: authorise::Settings,
    /// What is carried to the world outside.
    pub connect: Connect,
    pub logging: Logging,
}

/// What the pipeline runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Log {
    /// A store on this machine's disk.
    Embedded(Embedded),
    /// Kafka.
    Kafka(Box<Kafka>),
}

/// The embedded store, and how files get into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    pub directory: PathBuf,
    pub spool: Spool,
}

/// How files are read that do not say so themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    /// The source profile, as on the command line.
    pub source: String,
    /// The organisation of records that name none.
    pub org: Option<String>,
}

/// When a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    pub records_max: usize,
    pub bytes_max: usize,
    pub interval: Duration,
}

/// What lets time pass where no record arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    pub source: TimeSource,
    pub tick_interval: Duration,
    pub tick_delay: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeSource {
    Clock,
    Records,
}

/// What calls are priced with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    pub decks: Vec<PathBuf>,
    pub rate_plans: Vec<PathBuf>,
    /// The source profile of records that do not say, as on the command line.
    pub source: String,
    /// Open organisations when they are first seen.
    pub open_unknown: bool,
    pub limits: Limits,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// A directive of [`tracing_subscriber::EnvFilter`].
    pub level: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// Every fault that it has.
    pub fn load(args: &ConfigArgs) -> Result<Self, Failure> {
        let inputs = Inputs::collect(args.file.as_deref(), &args.set).map_err(|fault| Failure::faults(vec![fault]))?;
        Config::read(inputs).map_err(Failure::faults)
    }

    /// Checks what was given.
    fn read(inputs: Inputs) -> Result<Self, Vec<Fault>> {
        let file = inputs.file.as_ref().map(|(name, _)| name.clone());
        let mut faults = Vec::new();
        let given = inputs.merge(&mut faults);
        let mut reader = Reader::new(given, faults);
        let config = Config::build(file, &mut reader);
        if reader.faults.is_empty() { Ok(config) } else { Err(reader.faults) }
    }

    fn build(file: Option<String>, reader: &mut Reader) -> Self {
        let (commit, time, rating) = (read_commit(reader), read_time(reader), read_rating(reader));
        let embedded = read_embedded(reader, &rating.source);
        let kafka = kafka::read(reader, &commit);
        let has_brokers = reader.has("kafka.brokers");
        let is_kafka = reader.choice("log.kind", &[("embedded", false), ("kafka", true)]).unwrap_or(has_brokers);
        let workers: Option<usize> = reader.whole_if_given("log.workers");
        if is_kafka && !has_brokers {
            let mend = "give kafka.brokers, such as [\"127.0.0.1:9092\"], or log.kind = \"embedded\"";
            reader.fault("log.kind", "is kafka, but no broker is given", mend);
        }
        if !is_kafka && workers.is_some_and(|count| count > 1) {
            let what = "the embedded store has one partition, and so work for one";
            reader.fault("log.workers", what, "leave it out, or give kafka.brokers: more threads need Kafka");
        }
        Config {
            file,
            log: if is_kafka { Log::Kafka(Box::new(kafka)) } else { Log::Embedded(embedded) },
            workers: workers.unwrap_or_else(|| if is_kafka { core_count() } else { 1 }),
            worker_nice: reader.whole("log.worker_nice"),
            commit,
            time,
            rating,
            rules: read_rules(reader),
            http: http::read(reader),
            authorisation: read_authorisation(reader),
            connect: connect::read(reader),
            logging: read_logging(reader),
        }
    }
}

fn core_count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn millis(reader: &mut Reader, path: &'static str) -> Duration {
    Duration::from_millis(reader.whole(path))
}

fn paths(reader: &mut Reader, path: &'static str) -> Vec<PathBuf> {
    reader.texts(path).into_iter().map(PathBuf::from).collect()
}

fn read_embedded(reader: &mut Reader, source: &str) -> Embedded {
    let directory = PathBuf::from(reader.text("embedded.directory"));
    let spool = Spool {
        source: reader.text_if_given("spool.source").unwrap_or_else(|| source.to_owned()),
        org: reader.text_if_given("spool.org"),
    };
    if reader.is_empty_text("embedded.directory") {
        reader.fault("embedded.directory", "is empty", "name a directory");
    }
    Embedded { directory, spool }
}

fn read_commit(reader: &mut Reader) -> Commit {
    Commit {
        records_max: reader.whole("commit.records_max"),
        bytes_max: reader.whole("commit.bytes_max"),
        interval: millis(reader, "commit.interval_ms"),
    }
}

fn read_time(reader: &mut Reader) -> Time {
    let sources = [("clock", TimeSource::Clock), ("records", TimeSource::Records)];
    Time {
        source: reader.choice("time.source", &sources).unwrap_or(TimeSource::Clock),
        tick_interval: millis(reader, "time.tick_interval_ms"),
        tick_delay: Duration::from_secs(reader.whole("time.tick_delay_s")),
    }
}

fn read_rating(reader: &mut Reader) -> Rating {
    let limits = Limits {
        window_days: reader.whole("rating.dedup_days"),
        future_tolerance_s: reader.whole::<u64>("rating.future_tolerance_s").cast_signed(),
        leap_days_max: reader.whole("rating.leap_days_max"),
    };
    if limits.leap_days_max <= limits.window_days {
        let what =
            format!("{} days are no more than the {} of rating.dedup_days", limits.leap_days_max, limits.window_days);
        reader.fault("rating.leap_days_max", what, "leave it out, or raise it: an ordinary pause in traffic would do");
    }
    Rating {
        decks: paths(reader, "rating.decks"),
        rate_plans: paths(reader, "rating.rate_plans"),
        source: reader.text("rating.source"),
        open_unknown: reader.flag("rating.open_unknown"),
        limits,
    }
}

fn read_rules(reader: &mut Reader) -> Rules {
    let seconds = |reader: &mut Reader, path| reader.whole::<u64>(path).cast_signed();
    let rules = Rules {
        lot_months: reader.whole("rules.lot_months"),
        forfeit_grace_s: seconds(reader, "rules.forfeit_grace_s"),
        expiry_notice_s: seconds(reader, "rules.expiry_notice_s"),
        future_tolerance_s: seconds(reader, "rules.future_tolerance_s"),
        recharge_minimum: reader.money("rules.recharge_minimum"),
        recharge_whole_units: reader.flag("rules.recharge_whole_units"),
        resend_s: seconds(reader, "rules.resend_s"),
        retry_backoff_s: reader.wholes("rules.retry_backoff_s"),
        cooldown_s: seconds(reader, "rules.cooldown_s"),
        plans: read_plans(reader),
    };
    if !rules.recharge_minimum.is_positive() {
        reader.fault("rules.recharge_minimum", "is not above 0", "write the least amount that is worth a payment");
    }
    rules
}

fn read_plans(reader: &mut Reader) -> Plans {
    const PATH: &str = "rules.plans";
    let plans = reader.text(PATH);
    crate::files::read_plans(&plans).unwrap_or_else(|failure| {
        let what = match failure {
            Failure::Usage(faults) => faults.join("; "),
            Failure::Fault(error) => error.to_string(),
        };
        reader.fault(PATH, what, "write \"teams\", or the file of a plan catalogue");
        Plans::default()
    })
}

fn read_authorisation(reader: &mut Reader) -> authorise::Settings {
    authorise::Settings {
        maximum_s: reader.whole("authorisation.maximum_s"),
        slice_s: reader.whole("authorisation.slice_s"),
        grace_s: reader.whole("authorisation.grace_s"),
        overdraft: reader.money("authorisation.overdraft"),
        of_org_count_max: reader.whole("authorisation.calls_max_per_org"),
        count_max: reader.whole("authorisation.calls_max"),
        ..authorise::Settings::default()
    }
}

fn read_logging(reader: &mut Reader) -> Logging {
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let level = reader.text("logging.level");
    if let Err(error) = crate::logging::parse_level(&level) {
        let mend = "write error, warn, info, debug or trace, or such as \"info,drawdown_stream=debug\"";
        reader.fault("logging.level", format!("{level:?} is no level: {error}"), mend);
    }
    Logging { level, format: reader.choice("logging.format", &formats).unwrap_or(LogFormat::Text) }
}

#[cfg(test)]
mod tests;
