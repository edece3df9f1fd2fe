//! `drawdown recharge`: automatic recharging of an account, through the HTTP API.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use drawdown_units::Timestamp;
use serde_json::{Value, json};

use crate::account::list_events;
use crate::arguments::parse_time;
use crate::client::{LinesArgs, OrgArgs, Writing, fields, labelled, path, text};
use crate::exit::{Failure, Run};

/// Set automatic recharging, see what became of recharges, and settle them, on a running server
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 done; 2 refused, or wrong usage; 3 a fault, or nobody knows what became of it.

Examples:
  drawdown recharge configure contoso --amount 100 --trigger 20 --agreement EA-1
  drawdown recharge configure contoso --amount 200 --trigger 20 --agreement EA-1 --if-match 5d0e…
  drawdown recharge payment-method contoso --card-file token
  drawdown recharge settle contoso 3 succeeded")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Configure(ConfigureArgs),
    /// Show the settings; of a card's token the end
    Show(OrgArgs),
    PaymentMethod(PaymentMethodArgs),
    /// List what became of recharges
    History(LinesArgs),
    Settle(SettleArgs),
    /// List invoices and statements of post-usage
    Invoices(LinesArgs),
}

fn parse_version(text: &str) -> Result<String, String> {
    let is_version = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_version { Ok(text.to_owned()) } else { Err("write the version as it is shown".to_owned()) }
}

/// How recharges are paid.
#[derive(Debug, Clone, Default, ClapArgs)]
struct PaymentArgs {
    /// The file that holds the token of a card, as the payment side gave it; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "agreement")]
    card_file: Option<PathBuf>,
    /// An agreement by which invoices are paid
    #[arg(long, value_name = "ID")]
    agreement: Option<String>,
    /// The purchase order that its invoices name
    #[arg(long, value_name = "ID", requires = "agreement")]
    purchase_order: Option<String>,
}

impl PaymentArgs {
    /// As on the wire; `None` where nothing is given.
    fn method(&self) -> Result<Option<Value>, Failure> {
        if let Some(agreement) = &self.agreement {
            let order = self.purchase_order.as_ref().map(|order| json!(order));
            return Ok(Some(fields([("agreement", Some(json!(agreement))), ("purchaseOrder", order)])));
        }
        let Some(file) = &self.card_file else { return Ok(None) };
        let token = match file.as_os_str() == "-" {
            true => io::read_to_string(io::stdin()),
            false => std::fs::read_to_string(file),
        };
        let token = token.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
        Ok(Some(json!({"card": token.trim()})))
    }

    fn needed(&self) -> Result<Value, Failure> {
        let missing = || Failure::usage("say how recharges are paid: --card-file FILE or --agreement ID");
        self.method()?.ok_or_else(missing)
    }
}

/// Set automatic recharging, in place of what was set before
#[derive(Debug, ClapArgs)]
struct ConfigureArgs {
    /// The organisation
    org: String,
    /// How much is bought each time
    #[arg(long)]
    amount: String,
    /// Below which balance
    #[arg(long, value_name = "AMOUNT")]
    trigger: String,
    /// The most that is bought in a month
    #[arg(long, value_name = "AMOUNT")]
    monthly_cap: Option<String>,
    /// Keep the settings, but buy nothing
    #[arg(long)]
    off: bool,
    /// Only if the settings are still those of which `recharge show` said this version
    #[arg(long, value_name = "VERSION", value_parser = parse_version)]
    if_match: Option<String>,
    #[command(flatten)]
    payment: PaymentArgs,
    #[command(flatten)]
    writing: Writing,
}

/// Pay recharges another way, and leave the other settings as they are
#[derive(Debug, ClapArgs)]
struct PaymentMethodArgs {
    /// The organisation
    org: String,
    #[command(flatten)]
    payment: PaymentArgs,
    #[command(flatten)]
    writing: Writing,
}

/// What the payment side says of a recharge.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Outcome {
    Succeeded,
    Declined,
    Failed,
}

/// Settle a recharge: the payment side's answer
#[derive(Debug, ClapArgs)]
struct SettleArgs {
    /// The organisation
    org: String,
    /// The number of its recharge: what stands after the / of its id
    number: u64,
    /// What became of the payment
    outcome: Outcome,
    /// How much was paid; it is refused where another amount was asked for
    #[arg(long)]
    amount: Option<String>,
    /// Why it was declined or failed
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// When the payment side handled it; now unless given
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    processed: Option<Timestamp>,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command that was given.
pub fn run(args: &Args) -> Run {
    match &args.command {
        Command::Configure(args) => configure(args),
        Command::Show(args) => args.reading.show_version(&path(&["accounts", &args.org, "auto-recharge"]), show),
        Command::PaymentMethod(args) => {
            let fields = json!({"paymentMethod": args.payment.needed()?});
            args.writing.send("PUT", &path(&["accounts", &args.org, "payment-method"]), Some(&fields))
        }
        Command::History(args) => list_lines(args, "recharges"),
        Command::Settle(args) => settle(args),
        Command::Invoices(args) => list_lines(args, "invoices"),
    }
}

fn list_lines(args: &LinesArgs, what: &str) -> Run {
    list_events(&args.reading, &args.pages, path(&["accounts", &args.org, what]), args.span.given().into())
}

fn configure(args: &ConfigureArgs) -> Run {
    let fields = fields([
        ("enabled", Some(json!(!args.off))),
        ("rechargeAmount", Some(json!(args.amount))),
        ("triggerAmount", Some(json!(args.trigger))),
        ("monthlyCap", args.monthly_cap.as_ref().map(|cap| json!(cap))),
        ("paymentMethod", Some(args.payment.needed()?)),
    ]);
    let place = path(&["accounts", &args.org, "auto-recharge"]);
    args.writing.send_if("PUT", &place, Some(&fields), args.if_match.as_deref())
}

fn settle(args: &SettleArgs) -> Run {
    let outcome = match args.outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Declined => "declined",
        Outcome::Failed => "failed",
    };
    let fields = fields([
        ("outcome", Some(json!(outcome))),
        ("amount", args.amount.as_ref().map(|amount| json!(amount))),
        ("reason", args.reason.as_ref().map(|reason| json!(reason))),
        ("processedAt", args.processed.map(|time| json!(time.to_string()))),
    ]);
    let place = path(&["accounts", &args.org, "recharges", &args.number.to_string(), "settlement"]);
    args.writing.send("POST", &place, Some(&fields))
}

fn show(settings: &Value, version: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let payment = &settings["paymentMethod"];
    let order = payment["purchaseOrder"].as_str().map(|order| format!(", purchase order {order}")).unwrap_or_default();
    let method = match payment["card"].as_str() {
        Some(card) => format!("card {card}"),
        None => format!("agreement {}{order}", text(&payment["agreement"])),
    };
    labelled(
        &[
            ("recharging", if settings["enabled"] == true { "on" } else { "off" }.to_owned()),
            ("amount", text(&settings["rechargeAmount"])),
            ("trigger", text(&settings["triggerAmount"])),
            ("monthly cap", text(&settings["monthlyCap"])),
            ("paid by", method),
            ("version", version.unwrap_or_default().to_owned()),
        ],
        out,
    )
}
