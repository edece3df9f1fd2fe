//! `drawdown account`: opens, changes, closes and shows the accounts of organisations, through the HTTP API.

use std::io::{self, Write};

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::client::{
    EVENT_COLUMNS, List, OrgArgs, PageArgs, Reading, SpanArgs, Writing, amount, event_row, fields, instant, labelled,
    list, path, text,
};
use crate::exit::Run;
use crate::table::Align;

/// Open, change, close and show accounts, on a running server
///
/// A change is shown with the account events that it caused.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 done; 2 refused, or wrong usage; 3 a fault, or nobody knows what became of it.

Examples:
  drawdown account open contoso --currency USD --rate-plan standard --country US
  DRAWDOWN_URL=https://drawdown.example:9464 drawdown account list --key-file key --all")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Open(OpenArgs),
    Close(CloseArgs),
    /// Show an account
    Show(OrgArgs),
    List(ListArgs),
    SetMode(SetModeArgs),
    SetRatePlan(SetRatePlanArgs),
    Events(EventsArgs),
}

/// When calls are paid.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    /// From lots
    Prepaid,
    /// By a statement each month
    PostUsage,
}

/// Who may draw credits.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Licensing {
    /// Users whose licences allow it
    Required,
    /// Everybody
    None,
}

impl Mode {
    /// As on the wire.
    fn name(self) -> &'static str {
        match self {
            Mode::Prepaid => "prepaid",
            Mode::PostUsage => "postUsage",
        }
    }
}

impl Licensing {
    fn name(self) -> &'static str {
        match self {
            Licensing::Required => "required",
            Licensing::None => "none",
        }
    }
}

/// Open an account
#[derive(Debug, ClapArgs)]
struct OpenArgs {
    /// The organisation
    org: String,
    /// The currency of its money, ISO 4217, such as USD
    #[arg(long)]
    currency: String,
    /// The rate plan that is sold to it
    #[arg(long, value_name = "PLAN")]
    rate_plan: String,
    /// Its country, ISO 3166, such as US
    #[arg(long)]
    country: String,
    /// When calls are paid; prepaid unless given
    #[arg(long)]
    mode: Option<Mode>,
    /// No overdraft: what lots do not cover is not collected
    #[arg(long)]
    strict: bool,
    /// Whether users need licences to draw credits; required unless given
    #[arg(long)]
    licensing: Option<Licensing>,
    #[command(flatten)]
    writing: Writing,
}

/// Close an account
#[derive(Debug, ClapArgs)]
struct CloseArgs {
    /// The organisation
    org: String,
    #[command(flatten)]
    writing: Writing,
}

/// List the accounts, by name
#[derive(Debug, ClapArgs)]
struct ListArgs {
    #[command(flatten)]
    pages: PageArgs,
    #[command(flatten)]
    reading: Reading,
}

/// Make an account prepaid or post-usage
#[derive(Debug, ClapArgs)]
struct SetModeArgs {
    /// The organisation
    org: String,
    /// When its calls are paid from now on
    mode: Mode,
    #[command(flatten)]
    writing: Writing,
}

/// Sell another rate plan to an organisation, for calls from now on
#[derive(Debug, ClapArgs)]
struct SetRatePlanArgs {
    /// The organisation
    org: String,
    /// The rate plan
    #[arg(value_name = "PLAN")]
    rate_plan: String,
    #[command(flatten)]
    writing: Writing,
}

/// List what happened to an account
#[derive(Debug, ClapArgs)]
struct EventsArgs {
    /// The organisation
    org: String,
    /// These types of event alone, such as FundsAdded; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    #[command(flatten)]
    span: SpanArgs,
    #[command(flatten)]
    pages: PageArgs,
    #[command(flatten)]
    reading: Reading,
}

/// Runs the command that was given.
pub fn run(args: &Args) -> Run {
    match &args.command {
        Command::Open(args) => open(args),
        Command::Close(args) => args.writing.send("DELETE", &path(&["accounts", &args.org]), None),
        Command::Show(args) => args.reading.show(&path(&["accounts", &args.org]), show),
        Command::List(args) => list_accounts(args),
        Command::SetMode(args) => {
            let mode = json!({"mode": args.mode.name()});
            args.writing.send("PUT", &path(&["accounts", &args.org, "mode"]), Some(&mode))
        }
        Command::SetRatePlan(args) => {
            let plan = json!({"ratePlan": args.rate_plan});
            args.writing.send("PUT", &path(&["accounts", &args.org, "rate-plan"]), Some(&plan))
        }
        Command::Events(args) => {
            let types = (!args.types.is_empty()).then(|| args.types.join(","));
            let given = args.span.given().into_iter().chain([("type", types)]).collect();
            list_events(&args.reading, &args.pages, path(&["accounts", &args.org, "events"]), given)
        }
    }
}

fn open(args: &OpenArgs) -> Run {
    let fields = fields([
        ("orgId", Some(json!(args.org))),
        ("currency", Some(json!(args.currency))),
        ("ratePlan", Some(json!(args.rate_plan))),
        ("country", Some(json!(args.country))),
        ("mode", args.mode.map(|mode| json!(mode.name()))),
        ("strict", args.strict.then_some(json!(true))),
        ("licensing", args.licensing.map(|licensing| json!(licensing.name()))),
    ]);
    args.writing.send("POST", &path(&["accounts"]), Some(&fields))
}

fn show(account: &Value, out: &mut dyn Write) -> io::Result<()> {
    let state = if account["closed"] == true { "closed" } else { "open" };
    let strict = if account["strict"] == true { ", strict" } else { "" };
    let plans = list(&account["ratePlans"]);
    let recharge = &account["recharge"];
    let recharging = match recharge["enabled"].as_bool() {
        Some(true) => format!("{} below {}", text(&recharge["rechargeAmount"]), text(&recharge["triggerAmount"])),
        Some(false) => "off".to_owned(),
        None => "never set".to_owned(),
    };
    labelled(
        &[
            ("account", format!("{}: {state}, {}{strict}", text(&account["orgId"]), text(&account["mode"]))),
            ("country", text(&account["country"])),
            ("rate plan", plans.last().map(|plan| text(&plan["ratePlan"])).unwrap_or_default()),
            ("licensing", text(&account["licensing"])),
            ("balance", amount(&account["balance"], &account["currency"])),
            ("overdraft", text(&account["overdraft"])),
            ("post-usage", text(&account["postUsage"])),
            ("uncollected", text(&account["uncollected"])),
            ("lots", list(&account["lots"]).len().to_string()),
            ("recharging", recharging),
            ("as of", instant(&account["clock"])),
        ],
        out,
    )
}

fn list_accounts(args: &ListArgs) -> Run {
    let names = ["balance", "overdraft", "postUsage"];
    let row = |account: &Value| {
        let state = if account["closed"] == true { "closed" } else { "open" };
        let words = ["orgId", "currency", "country", "mode"].map(|name| text(&account[name]));
        words.into_iter().chain([state.to_owned()]).chain(names.map(|name| text(&account[name]))).collect()
    };
    let list = List {
        path: path(&["accounts"]),
        goes_on: "after",
        given: Vec::new(),
        columns: &[
            ("organisation", Align::Left),
            ("currency", Align::Left),
            ("country", Align::Left),
            ("mode", Align::Left),
            ("state", Align::Left),
            ("balance", Align::Right),
            ("overdraft", Align::Right),
            ("post-usage", Align::Right),
        ],
        row: &row,
    };
    args.reading.list(&args.pages, &list)
}

/// Lists account events, of whatever path gives them.
pub fn list_events(
    reading: &Reading,
    pages: &PageArgs,
    path: String,
    given: Vec<(&'static str, Option<String>)>,
) -> Run {
    reading.list(pages, &List { path, goes_on: "cursor", given, columns: &EVENT_COLUMNS, row: &event_row })
}
