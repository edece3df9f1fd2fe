//! `drawdown topics`: the topics that the pipeline needs, made or checked.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use clap::{Args as ClapArgs, Subcommand};
use drawdown_stream::kafka::topics::{self, TopicPlan};

use crate::config::{Config, ConfigArgs, Log};
use crate::exit::{Done, Failure, Run};
use crate::pipeline::kafka_settings;

/// How long new topics may take until every broker knows how they are set.
const SETTLE_PATIENCE: Duration = Duration::from_secs(10);

/// Make or check the topics of the pipeline
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the topics that are missing
    Create(CreateArgs),
    /// Say what is wrong with the topics that are there
    Check(CheckArgs),
}

#[derive(Debug, ClapArgs)]
struct CreateArgs {
    /// Partitions of the inputs and outputs: the most workers that can share the work, and never changed later
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    partitions: u32,
    /// Copies of each partition
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    replication: u16,
    /// How long inputs are kept, and so how long the pipeline may be down
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=365))]
    input_retention_days: u16,
    /// How long debits, account events and rejects are kept
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3_650))]
    output_retention_days: u16,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, ClapArgs)]
struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Runs the command that was given.
pub fn run(args: &Args) -> Run {
    match &args.command {
        Command::Create(args) => create(args),
        Command::Check(args) => check(args),
    }
}

fn create(args: &CreateArgs) -> Run {
    let config = Config::load(&args.config)?;
    let settings = settings(&config)?;
    let window_days = config.rating.limits.window_days;
    let plan = TopicPlan {
        partitions: args.partitions,
        replication: args.replication,
        window_days,
        input_retention_days: args.input_retention_days,
        output_retention_days: args.output_retention_days,
    };
    let made = topics::create(&settings, &plan).map_err(|error| Failure::Fault(error.into()))?;
    let mut out = io::stdout().lock();
    made.iter().try_for_each(|name| writeln!(out, "{name}: made"))?;
    drop(out);
    // A broker may answer for a moment as if what it was just told were not so.
    let patience = if made.is_empty() { Duration::ZERO } else { SETTLE_PATIENCE };
    let deadline = Instant::now() + patience;
    loop {
        let faults = topics::check(&settings, window_days).map_err(|error| Failure::Fault(error.into()))?;
        if faults.is_empty() || Instant::now() >= deadline {
            return report(faults);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn check(args: &CheckArgs) -> Run {
    let config = Config::load(&args.config)?;
    let window_days = config.rating.limits.window_days;
    report(topics::check(&settings(&config)?, window_days).map_err(|error| Failure::Fault(error.into()))?)
}

fn settings(config: &Config) -> Result<drawdown_stream::kafka::KafkaSettings, Failure> {
    match &config.log {
        Log::Kafka(kafka) => Ok(kafka_settings(kafka)),
        Log::Embedded(_) => Err(Failure::usage("no brokers are configured, and the embedded log has no topics")),
    }
}

fn report(faults: Vec<impl std::fmt::Display>) -> Run {
    let mut out = io::stdout().lock();
    if faults.is_empty() {
        writeln!(out, "all topics are as they should be")?;
        return Ok(Done::Well);
    }
    faults.iter().try_for_each(|fault| writeln!(out, "{fault}"))?;
    Ok(Done::WithFindings)
}
