//! The endpoints of the API, in one table: what each is, who may call it, what it takes and gives. The router, the check
//! of scopes and the published description are all made of it.

mod accounts;
mod calls;
mod changes;
mod decks;
pub(crate) mod give;
mod ingest;
mod lines;
mod mask;
pub(crate) mod object;

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post, put};

use crate::access::Scope;
use crate::owners::{Passing, Place, of_account, to_owner};
use crate::service::{Guard, Service, guard};
pub use give::escaped;

/// What a request or an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Nothing.
    Nothing,
    /// The fields of a command of this type, but for those that the server sets.
    Command(&'static str),
    /// A named schema of the description.
    Named(&'static str),
    /// A page of lines of a named schema.
    PageOf(&'static str),
    /// A file of this media type.
    File(&'static str),
}

/// Whose data an endpoint is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// That of one organisation, whose name stands here.
    Org(Place),
    /// What the log says of the organisation in the path: any process can read it.
    Log,
    /// That of several, or of none: the handler looks which of them whoever asks may see.
    Several,
    /// That of all of them.
    All,
}

/// One endpoint.
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// What it takes.
    pub scope: Scope,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What else there is to know of it, in a sentence; nothing, of most.
    pub note: &'static str,
    /// Parameters of the query: name and what they are; those that must be there begin with `!`.
    pub query: &'static [(&'static str, &'static str)],
    /// The body.
    pub takes: Shape,
    /// The answer where all is well, and its status.
    pub gives: (u16, Shape),
    about: About,
    route: MethodRouter<Arc<Service>>,
}

impl Endpoint {
    fn new(
        method: Method,
        path: &'static str,
        scope: Scope,
        summary: &'static str,
        gives: (u16, Shape),
        route: MethodRouter<Arc<Service>>,
    ) -> Self {
        let about = if path.contains("{org}") { About::Org(Place::Path) } else { About::All };
        Endpoint { method, path, scope, summary, note: "", query: &[], takes: Shape::Nothing, gives, about, route }
    }

    fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }

    fn about(mut self, about: About) -> Self {
        self.about = about;
        self
    }

    fn takes(mut self, takes: Shape) -> Self {
        self.takes = takes;
        self
    }

    fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    /// Whether it is about all organisations, so that a credential that holds for some does not reach it.
    pub fn is_for_all(&self) -> bool {
        self.about == About::All
    }

    /// Whether it is a write that is done once however often it is sent under one key.
    pub fn is_idempotent_by_key(&self) -> bool {
        self.method != Method::GET && self.gives.1 == Shape::Named("Done")
    }
}

const CURSOR: (&str, &str) = ("cursor", "Where to go on: `next` of the page before.");
const LIMIT: (&str, &str) = ("limit", "How many at most, 1 to 1000; 100 unless given.");
const FROM: (&str, &str) = ("from", "Booked at or after: RFC 3339, or a day.");
const TO: (&str, &str) = ("to", "Booked before: RFC 3339, or a day.");
const LINES: &[(&str, &str)] = &[CURSOR, LIMIT, FROM, TO];
const DEBITS: &[(&str, &str)] = &[
    CURSOR,
    LIMIT,
    FROM,
    TO,
    ("user", "Calls of this user."),
    ("prefix", "Calls to numbers that begin with these digits."),
    ("id", "The id of the usage record."),
    ("source", "The source of the usage record."),
];
const EVENTS: &[(&str, &str)] = &[CURSOR, LIMIT, FROM, TO, ("type", "These types of event, divided by commas.")];
const SPAN: &[(&str, &str)] = &[
    ("!from", "Calls that started at or after: RFC 3339, or a day."),
    ("!to", "Calls that started before: RFC 3339, or a day."),
    ("format", "`csv` or `xlsx`."),
];

/// All of them.
pub fn endpoints() -> Vec<Endpoint> {
    use Scope::{Authorise, Ingest, Money, Operate, Read};
    use Shape::{Command, File, Named, PageOf};
    let e = Endpoint::new;
    let written = |status| (status, Named("Done"));
    vec![
        e(Method::GET, "/v1/accounts", Read, "List accounts", (200, Named("Accounts")), get(accounts::list))
            .query(&[("after", "The last organisation of the page before."), LIMIT])
            .note("Of a group of processes each lists the organisations of its own partitions alone.")
            .about(About::Several),
        e(Method::POST, "/v1/accounts", Operate, "Open an account", written(201), post(changes::open))
            .takes(Command("openAccount"))
            .about(About::Org(Place::Body)),
        e(Method::GET, "/v1/accounts/{org}", Read, "An account's state", (200, Named("Account")), get(accounts::show)),
        e(Method::DELETE, "/v1/accounts/{org}", Operate, "Close an account", written(200), delete(changes::close)),
        e(
            Method::GET,
            "/v1/accounts/{org}/balance",
            Read,
            "An account's money: settled, pending, reserved",
            (200, Named("Balance")),
            get(accounts::balance),
        ),
        e(Method::GET, "/v1/accounts/{org}/lots", Read, "Lots, with expiry", (200, Named("Lots")), get(accounts::lots)),
        e(Method::POST, "/v1/accounts/{org}/lots", Money, "Add funds: a lot", written(201), post(changes::add_funds))
            .takes(Command("addFunds")),
        e(
            Method::POST,
            "/v1/accounts/{org}/lots/{lot}/refund",
            Money,
            "Pay the rest of a lot back",
            written(200),
            post(changes::refund),
        )
        .takes(Command("refundLot")),
        e(
            Method::POST,
            "/v1/accounts/{org}/adjustments",
            Money,
            "Correct the balance by hand",
            written(201),
            post(changes::adjust),
        )
        .takes(Command("adjust")),
        e(
            Method::GET,
            "/v1/accounts/{org}/auto-recharge",
            Read,
            "Settings of automatic recharging",
            (200, Named("AutoRecharge")),
            get(accounts::auto_recharge),
        ),
        e(
            Method::PUT,
            "/v1/accounts/{org}/auto-recharge",
            Operate,
            "Set automatic recharging",
            written(200),
            put(changes::set_auto_recharge),
        )
        .takes(Command("configureAutoRecharge")),
        e(
            Method::GET,
            "/v1/accounts/{org}/payment-method",
            Read,
            "How recharges are paid; of a card's token the end",
            (200, Named("PaymentMethod")),
            get(changes::payment_method),
        ),
        e(
            Method::PUT,
            "/v1/accounts/{org}/payment-method",
            Operate,
            "Pay recharges another way",
            written(200),
            put(changes::set_payment_method),
        )
        .takes(Named("PaymentMethod")),
        e(
            Method::PUT,
            "/v1/accounts/{org}/mode",
            Operate,
            "Prepaid or post-usage",
            written(200),
            put(changes::set_mode),
        )
        .takes(Command("setMode")),
        e(
            Method::PUT,
            "/v1/accounts/{org}/rate-plan",
            Operate,
            "Sell another rate plan from now on",
            written(200),
            put(changes::set_rate_plan),
        )
        .takes(Command("setRatePlan")),
        e(
            Method::GET,
            "/v1/accounts/{org}/pools",
            Read,
            "Pools of included minutes",
            (200, Named("Pools")),
            get(accounts::pools),
        ),
        e(
            Method::GET,
            "/v1/accounts/{org}/users/{user}",
            Read,
            "A user's licences and pools",
            (200, Named("User")),
            get(accounts::user),
        ),
        e(
            Method::PUT,
            "/v1/accounts/{org}/users/{user}/licences/{licence}",
            Operate,
            "Assign a licence",
            written(200),
            put(changes::assign_licence),
        )
        .takes(Command("assignLicence")),
        e(
            Method::DELETE,
            "/v1/accounts/{org}/users/{user}/licences/{licence}",
            Operate,
            "Remove a licence",
            written(200),
            delete(changes::remove_licence),
        ),
        e(
            Method::GET,
            "/v1/accounts/{org}/recharges",
            Read,
            "What became of recharges",
            (200, PageOf("AccountEvent")),
            get(lines::recharges),
        )
        .query(LINES),
        e(
            Method::POST,
            "/v1/accounts/{org}/recharges/{number}/settlement",
            Money,
            "Settle a recharge: the payment side's answer",
            written(200),
            post(changes::settle),
        )
        .takes(Command("settleRecharge")),
        e(
            Method::GET,
            "/v1/accounts/{org}/invoices",
            Read,
            "Invoices and post-usage statements",
            (200, PageOf("AccountEvent")),
            get(lines::invoices),
        )
        .query(LINES),
        e(Method::GET, "/v1/accounts/{org}/debits", Read, "Debits", (200, PageOf("Debit")), get(lines::debits))
            .query(DEBITS),
        e(
            Method::GET,
            "/v1/accounts/{org}/debits/stream",
            Read,
            "Debits as they are committed (server-sent events)",
            (200, File("text/event-stream")),
            get(lines::stream_debits),
        )
        .query(&[CURSOR])
        .about(About::Log),
        e(
            Method::GET,
            "/v1/accounts/{org}/events",
            Read,
            "Account events",
            (200, PageOf("AccountEvent")),
            get(lines::events),
        )
        .query(EVENTS),
        e(
            Method::GET,
            "/v1/accounts/{org}/events/stream",
            Read,
            "Account events as they are committed (server-sent events)",
            (200, File("text/event-stream")),
            get(lines::stream_events),
        )
        .query(&[CURSOR])
        .about(About::Log),
        e(
            Method::GET,
            "/v1/accounts/{org}/rejects",
            Read,
            "Records that were not debited",
            (200, PageOf("Reject")),
            get(lines::rejects),
        )
        .query(LINES),
        e(
            Method::GET,
            "/v1/accounts/{org}/calls/{id}/explanation",
            Read,
            "Why a call was charged so",
            (200, Named("Explanations")),
            get(lines::explanation),
        )
        .query(&[FROM, TO, ("source", "The source of the usage record.")]),
        e(
            Method::GET,
            "/v1/accounts/{org}/commands/{id}",
            Read,
            "What became of a command",
            (200, Named("Done")),
            get(changes::command),
        ),
        e(
            Method::GET,
            "/v1/accounts/{org}/reports/usage",
            Read,
            "Every call in the 20 columns of the Teams PSTN usage export",
            (200, File("text/csv")),
            get(lines::usage),
        )
        .query(SPAN)
        .about(About::Log),
        e(
            Method::GET,
            "/v1/accounts/{org}/reports/statement",
            Read,
            "What became of the money in a month",
            (200, Named("Statement")),
            get(lines::statement),
        )
        .query(&[("!month", "The month, such as 2026-03.")])
        .about(About::Log),
        e(Method::POST, "/v1/cdrs", Ingest, "Hand in usage records", (202, Named("Accepted")), post(ingest::cdrs))
            .takes(Named("UsageRecords"))
            .query(&[
                ("source", "The source profile, as on the command line; `native` unless given."),
                ("org", "The organisation of records that name none."),
            ])
            .about(About::Several),
        e(
            Method::POST,
            "/v1/authorisations",
            Authorise,
            "May this call go ahead, and for how long?",
            (200, Named("Authorisation")),
            post(calls::authorise),
        )
        .takes(Named("AuthorisationRequest"))
        .about(About::Org(Place::Body)),
        e(
            Method::POST,
            "/v1/authorisations/extension",
            Authorise,
            "More time for a running call",
            (200, Named("Authorisation")),
            post(calls::extend),
        )
        .takes(Named("Extension"))
        .about(About::Org(Place::Body)),
        e(
            Method::POST,
            "/v1/authorisations/release",
            Authorise,
            "A call ended, or never came to be: keep nothing for it",
            (200, Named("Released")),
            post(calls::release),
        )
        .takes(Named("Release"))
        .about(About::Org(Place::Body)),
        e(
            Method::GET,
            "/v1/decks",
            Read,
            "Decks, withdrawn ones too, and rate plans in force",
            (200, Named("Decks")),
            get(decks::list),
        ),
        e(
            Method::POST,
            "/v1/decks",
            Operate,
            "Publish a deck, or a rate plan, to every process",
            (201, Named("Published")),
            post(decks::publish),
        )
        .takes(Named("Publication")),
        e(
            Method::DELETE,
            "/v1/decks/{id}/{version}",
            Operate,
            "Withdraw a version of a deck on every process, for good",
            (200, Named("Withdrawn")),
            delete(decks::withdraw),
        ),
        e(
            Method::GET,
            "/v1/decks/{id}/diff",
            Read,
            "What changes from one version of a deck to another",
            (200, Named("DeckDiff")),
            get(decks::diff),
        )
        .query(&[("!from", "A version."), ("!to", "Another.")]),
        e(Method::GET, "/v1/price", Read, "What a call would cost", (200, Named("CallPrice")), get(decks::price))
            .query(&[
                ("!plan", "The rate plan."),
                ("!number", "The number that decides the price, as dialled or in E.164."),
                ("at", "When it would start; now unless given."),
                ("seconds", "How long it would last; 60 unless given."),
            ])
            .about(About::Several),
    ]
}

/// The routers of them all: those whose requests are of ordinary length, and those that take files.
pub(crate) struct Routers {
    pub ordinary: Router,
    pub large: Router,
}

/// The routers of the table.
pub(crate) fn routers(service: &Arc<Service>) -> Routers {
    let (mut ordinary, mut large) = (Router::new(), Router::new());
    for endpoint in endpoints() {
        let asks = Guard { scope: endpoint.scope, is_for_all: endpoint.is_for_all() };
        let is_idempotent_by_key = endpoint.is_idempotent_by_key();
        let route = match endpoint.about {
            About::Org(place) => {
                let passing = Passing { service: Arc::clone(service), place, is_idempotent_by_key };
                endpoint.route.layer(from_fn_with_state(passing, to_owner))
            }
            About::Log => endpoint.route.layer(from_fn_with_state(Arc::clone(service), of_account)),
            About::Several | About::All => endpoint.route,
        };
        let route = route.layer(from_fn_with_state(asks, guard));
        let is_large = endpoint.path == "/v1/cdrs" || endpoint.path == "/v1/decks";
        let router = if is_large { &mut large } else { &mut ordinary };
        *router = std::mem::take(router).route(endpoint.path, route);
    }
    Routers { ordinary: ordinary.with_state(Arc::clone(service)), large: large.with_state(Arc::clone(service)) }
}
