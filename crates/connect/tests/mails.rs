//! Mails sent to a real mail server, and to one that refuses some of them.

mod common;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use drawdown_connect::dead::{DeadLetters, FileDeadLetters, Limits, Replayed};
use drawdown_connect::mail::{
    self, Contacts, Encryption, Mailer, Sender, Server, ServerError, ServerSettings, Settings, Templates,
};
use drawdown_connect::secret::Secret;
use drawdown_connect::stop::Stop;
use drawdown_testkit::mail::{MailServer, PASSWORD, StartTlsServer, USER, runs_here};
use tempfile::TempDir;

use common::smtp::Picky;
use common::{Log, LogFeed, balance_exhausted, mode_set, wait_for};

struct Place {
    directory: TempDir,
    letters: Arc<FileDeadLetters>,
}

fn place(contacts: &str) -> Place {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("contacts.toml"), contacts).expect("written");
    let letters = FileDeadLetters::open(directory.path().join("dead.jsonl"), Limits::default()).expect("a file");
    Place { directory, letters: Arc::new(letters) }
}

fn sender() -> Sender {
    let from = "Drawdown <billing@drawdown.example>".parse().expect("an address");
    Sender { from, reply_to: Some("help@drawdown.example".parse().expect("an address")) }
}

fn plain(port: u16) -> ServerSettings {
    let timeout = Duration::from_secs(10);
    let host = "127.0.0.1".to_owned();
    ServerSettings { host, port, encryption: Encryption::None, credentials: None, authorities: None, timeout }
}

fn encrypted(server: &MailServer, password: &str) -> ServerSettings {
    ServerSettings {
        host: "localhost".to_owned(),
        encryption: Encryption::Implicit,
        credentials: Some((USER.to_owned(), Secret::new(password))),
        authorities: Some(fs::read(server.authority()).expect("a certificate")),
        ..plain(server.smtps())
    }
}

fn mailer(feed: LogFeed, server: ServerSettings, place: &Place) -> Mailer<LogFeed> {
    let (pause, pause_max) = (Duration::from_millis(10), Duration::from_millis(100));
    let settings = Settings { sender: sender(), pause, pause_max, attempts_max: 3 };
    let server = Server::new(server).expect("a server");
    let templates = Templates::open(None).expect("templates");
    let contacts = Contacts::open(place.directory.path().join("contacts.toml")).expect("contacts");
    Mailer::new(feed, settings, server, templates, contacts, Arc::<FileDeadLetters>::clone(&place.letters))
        .with_currencies(Box::new(|_| Some("EUR".to_owned())))
}

/// Sends one mail, or tries three times in vain; how many were sent. What was not sent is not let go of.
fn send_one(server: ServerSettings) -> usize {
    let place = place("default = [\"ops@drawdown.example\"]");
    let log = Log::of([balance_exhausted("contoso", 1)]);
    let stop = Stop::new();
    let mut mailer = mailer(log.follow(&stop), server, &place);
    let (counts, asked) = (mailer.counts(), stop.clone());
    let running = thread::spawn(move || mailer.run(&asked));
    let is_tried = || counts.sent.load(Ordering::Relaxed) > 0 || counts.put_off.load(Ordering::Relaxed) > 2;
    wait_for("a mail, or attempts in vain", is_tried);
    stop.ask();
    running.join().expect("no panic");
    let sent = counts.sent.load(Ordering::Relaxed) as usize;
    assert_eq!(log.committed(), sent);
    sent
}

fn header<'a>(mail: &'a str, name: &str) -> Vec<&'a str> {
    let head = mail.split("\n\n").next().unwrap_or_default();
    head.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

#[test]
fn a_real_server_takes_mails_again_under_the_same_id_after_a_restart() {
    if !runs_here() {
        return;
    }
    let server = MailServer::start().expect("a server");
    let place = place("default = [\"ops@drawdown.example\"]\n[orgs]\n\"contoso\" = [\"Ada <ada@contoso.example>\"]");
    let log = Log::of([
        balance_exhausted("contoso", 1),
        mode_set("contoso", 2),
        balance_exhausted("fabrikam\\r\\nBcc: x@y.example", 7),
    ]);
    for _ in 0..2 {
        let stop = Stop::new();
        mailer(log.follow(&stop), plain(server.smtp()), &place).run(&stop);
        assert_eq!(log.committed(), 3);
        // Killed before it could commit, it does everything again.
        log.rewind();
    }
    let mails = server.mails("ada@contoso.example").expect("mails");
    assert_eq!(mails.len(), 2);
    assert_eq!(header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID"));
    assert_eq!(header(&mails[0], "Message-ID").len(), 1);
    assert_eq!(header(&mails[0], "Subject"), ["Balance of contoso is used up"]);
    assert_eq!(header(&mails[0], "From"), ["Drawdown <billing@drawdown.example>"]);
    assert_eq!(header(&mails[0], "Auto-Submitted"), ["auto-generated"]);
    for part in ["multipart/alternative", "text/plain", "text/html", "it is 0.00 EUR", "<strong>0.00 EUR</strong>"] {
        assert!(mails[0].replace("=\n", "").contains(part), "{part} in {}", mails[0]);
    }
    let others = server.mails("ops@drawdown.example").expect("mails");
    assert_eq!(others.len(), 2);
    assert_eq!(header(&others[0], "Subject"), ["Balance of fabrikam Bcc: x@y.example is used up"]);
    assert!(header(&others[0], "Bcc").is_empty());
    assert_ne!(header(&others[0], "Message-ID"), header(&mails[0], "Message-ID"));
}

#[test]
fn a_server_that_is_down_or_does_not_know_us_is_waited_for() {
    if !runs_here() {
        return;
    }
    let mut server = MailServer::prepare().expect("a server");
    let place = place("default = [\"ops@drawdown.example\"]");
    let log = Log::of((1..=3).map(|seq| balance_exhausted("contoso", seq)));
    let run = |settings: ServerSettings| {
        let stop = Stop::new();
        let mut mailer = mailer(log.follow(&stop), settings, &place);
        let (counts, asked) = (mailer.counts(), stop.clone());
        (thread::spawn(move || mailer.run(&asked)), counts, stop)
    };
    let (running, counts, _) = run(encrypted(&server, PASSWORD));
    // More often than a mail that is put off is tried.
    wait_for("attempts in vain", || counts.put_off.load(Ordering::Relaxed) > 5);
    assert_eq!(log.committed(), 0);
    server.launch().expect("it starts");
    wait_for("the mails", || running.is_finished());
    running.join().expect("no panic");
    assert_eq!((log.committed(), counts.sent.load(Ordering::Relaxed)), (3, 3));
    assert_eq!(server.mails("ops@drawdown.example").expect("mails").len(), 3);

    log.rewind();
    let (running, counts, stop) = run(encrypted(&server, "wrong"));
    wait_for("attempts in vain", || counts.put_off.load(Ordering::Relaxed) > 5);
    stop.ask();
    running.join().expect("no panic");
    assert_eq!((log.committed(), counts.sent.load(Ordering::Relaxed)), (0, 0));
    assert!(place.letters.all().expect("letters").is_empty());
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    if !runs_here() {
        return;
    }
    let server = MailServer::start().expect("a server");
    assert_eq!(send_one(ServerSettings { authorities: None, ..encrypted(&server, PASSWORD) }), 0);
}

#[test]
fn mails_go_by_starttls_or_not_at_all() {
    if !StartTlsServer::runs_here() || !runs_here() {
        return;
    }
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let server = StartTlsServer::start(&certificate, &key).expect("a server");
    let starttls = |port: u16, authorities: Option<Vec<u8>>| ServerSettings {
        host: "localhost".to_owned(),
        encryption: Encryption::StartTls,
        authorities,
        ..plain(port)
    };
    assert_eq!(send_one(starttls(server.port(), None)), 0, "nobody vouches for the certificate");
    assert_eq!(server.mails(), Ok(Vec::new()));
    let trusted = Some(certificate.into_bytes());
    assert_eq!(send_one(starttls(server.port(), trusted.clone())), 1);
    let mails = server.mails().expect("mails");
    assert_eq!(mails.len(), 1);
    assert_eq!(header(&mails[0], "Subject"), ["Balance of contoso is used up"]);

    // A server that offers no STARTTLS, or whose offer somebody took out on the way, gets nothing in the clear.
    let bare = MailServer::start().expect("a server");
    assert_eq!(send_one(starttls(bare.smtp(), trusted)), 0);
    assert!(bare.mails("ops@drawdown.example").is_err(), "an account comes with its first mail, and there is none");
}

#[test]
fn an_address_that_is_refused_concerns_nobody_else_and_is_kept() {
    let picky = Picky::start(&[("gone@c.example", "550 no such user", 9), ("full@c.example", "452 full", 9)]);
    let place = place("default = [\"a@c.example\", \"gone@c.example\", \"full@c.example\", \"b@c.example\"]");
    let log = Log::of([balance_exhausted("contoso", 1)]);
    let stop = Stop::new();
    let mut mailer = mailer(log.follow(&stop), plain(picky.port()), &place);
    mailer.run(&stop);
    assert_eq!(log.committed(), 1);
    assert_eq!(picky.taken(), ["a@c.example", "b@c.example"]);
    let letters = place.letters.all().expect("letters");
    let shown: Vec<_> = letters.iter().map(|one| (one.to.as_str(), one.status, one.attempts)).collect();
    assert_eq!(shown, [("gone@c.example", Some(550), 1), ("full@c.example", Some(452), 3)]);

    let server = Server::new(plain(picky.port())).expect("a server");
    let templates = Templates::open(None).expect("templates");
    let replay = || mail::replay(place.letters.as_ref(), &sender(), &server, &templates, &|_| None).expect("replayed");
    assert_eq!(replay(), Replayed { failed: 2, ..Replayed::default() });
    picky.forgive();
    assert_eq!(replay(), Replayed { sent: 2, ..Replayed::default() });
    assert!(place.letters.all().expect("letters").is_empty());
    assert_eq!(picky.taken()[2..], ["gone@c.example", "full@c.example"]);
}

#[test]
fn what_is_put_off_is_tried_again_before_anything_else() {
    let picky = Picky::start(&[("a@c.example", "451 later", 2)]);
    let place = place("[orgs]\ncontoso = [\"a@c.example\"]\nfabrikam = [\"b@c.example\"]");
    let log =
        Log::of([balance_exhausted("contoso", 1), balance_exhausted("nobody", 1), balance_exhausted("fabrikam", 1)]);
    let stop = Stop::new();
    let mut mailer = mailer(log.follow(&stop), plain(picky.port()), &place);
    mailer.run(&stop);
    assert_eq!(picky.taken(), ["a@c.example", "b@c.example"]);
    let counts = mailer.counts();
    assert_eq!(counts.put_off.load(Ordering::Relaxed), 2);
    assert_eq!(counts.without_contact.load(Ordering::Relaxed), 1);
    assert_eq!(log.committed(), 3);
}

#[test]
fn a_password_is_neither_sent_in_the_clear_nor_shown() {
    let credentials = Some((USER.to_owned(), Secret::new(PASSWORD)));
    let settings = ServerSettings { host: "mail.example.com".to_owned(), credentials, ..plain(25) };
    assert!(!format!("{settings:?}").contains(PASSWORD));
    let here = Server::new(ServerSettings { host: "localhost".to_owned(), ..settings.clone() }).expect("a server");
    assert!(!format!("{here:?}").contains(PASSWORD));
    assert_eq!(Server::new(settings).expect_err("refused"), ServerError::PlainPassword);
}
