//! One feed's events, mailed in order.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lettre::message::Mailbox;

use super::Kind;
use super::contacts::Contacts;
use super::message::Sender;
use super::server::{PostError, Server};
use super::templates::Templates;
use crate::dead::{Channel, DeadLetter, DeadLetters, bury, now};
use crate::feed::Feed;
use crate::follow::{Backoff, Handled, Pauses, follow};
use crate::notice::Notice;
use crate::stop::Stop;

/// What came of events so far, for whoever counts.
#[derive(Debug, Default)]
pub struct Counts {
    /// Mails that the server took.
    pub sent: AtomicU64,
    /// Attempts that failed and are made again, each of them.
    pub put_off: AtomicU64,
    /// Given up, and among the dead letters.
    pub dead: AtomicU64,
    /// Events that nobody was written to about, because nobody is known.
    pub without_contact: AtomicU64,
    /// Lines of the log that are no account events.
    pub undecodable: AtomicU64,
}

/// Knows the currency of an organisation's account, which events do not tell.
pub type Currencies = Box<dyn Fn(&str) -> Option<String> + Send>;

/// How mails are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whom they are from.
    pub sender: Sender,
    /// The pause after a first failure; it doubles with each one more.
    pub pause: Duration,
    /// The longest pause.
    pub pause_max: Duration,
    /// How often a mail that the server puts off (4xx) is tried; one that there is no server for is tried for ever.
    pub attempts_max: u32,
}

impl Settings {
    /// From a second to five minutes between attempts, about two days in all.
    pub fn of(sender: Sender) -> Self {
        Settings { sender, pause: Duration::from_secs(1), pause_max: Duration::from_secs(300), attempts_max: 600 }
    }
}

/// Mails what somebody should know of the events of one feed.
pub struct Mailer<F> {
    feed: F,
    post: Post,
}

/// All but the feed.
struct Post {
    settings: Settings,
    server: Server,
    templates: Templates,
    contacts: Contacts,
    currencies: Currencies,
    dead: Arc<dyn DeadLetters>,
    counts: Arc<Counts>,
    /// Organisations whose lack of a contact was logged.
    without_contact: HashSet<String>,
}

impl<F: Feed> Mailer<F> {
    /// A mailer. The feed is its own.
    pub fn new(
        feed: F,
        settings: Settings,
        server: Server,
        templates: Templates,
        contacts: Contacts,
        dead: Arc<dyn DeadLetters>,
    ) -> Self {
        let (currencies, counts): (Currencies, _) = (Box::new(|_| None), Arc::default());
        let without_contact = HashSet::new();
        let post = Post { settings, server, templates, contacts, currencies, dead, counts, without_contact };
        Mailer { feed, post }
    }

    /// Shows amounts with the currencies of accounts.
    #[must_use]
    pub fn with_currencies(mut self, currencies: Currencies) -> Self {
        self.post.currencies = currencies;
        self
    }

    /// What is counted meanwhile.
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.post.counts)
    }

    /// Mails until it is asked to stop. What fails in the log is tried again.
    pub fn run(&mut self, stop: &Stop) {
        let post = &mut self.post;
        follow(&mut self.feed, "mail", stop, |line, pauses| post.handle(line, pauses));
    }
}

impl Post {
    fn handle(&mut self, line: &[u8], pauses: &mut Pauses<'_>) -> Handled {
        match Notice::read(line) {
            Ok(notice) if Kind::of(&notice).is_some() => self.tell(&notice, pauses),
            Ok(_) => Handled::PassedOver,
            Err(error) => {
                self.counts.undecodable.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, "mail passed over what is no account event");
                Handled::PassedOver
            }
        }
    }

    fn tell(&mut self, notice: &Notice, pauses: &mut Pauses<'_>) -> Handled {
        if self.contacts.refresh() {
            self.without_contact.clear();
        }
        let to = self.contacts.of(notice.org()).to_vec();
        if to.is_empty() {
            self.miss(notice);
            return Handled::PassedOver;
        }
        let currency = (self.currencies)(notice.org());
        let rendered = self.templates.render(notice, currency.as_deref()).map_err(|error| error.to_string());
        let sender = &self.settings.sender;
        let mail = rendered.and_then(|mail| sender.write(notice, &mail, &to).map_err(|error| error.to_string()));
        for mailbox in &to {
            let is_done = match &mail {
                Ok(mail) => self.send(notice, mailbox, mail, pauses),
                Err(error) => self.give_up(notice, mailbox, 0, (None, error.clone()), pauses),
            };
            if !is_done {
                return Handled::Interrupted;
            }
        }
        Handled::Done
    }

    fn miss(&mut self, notice: &Notice) {
        self.counts.without_contact.fetch_add(1, Ordering::Relaxed);
        if self.without_contact.insert(notice.org().to_owned()) {
            tracing::warn!(org = notice.org(), "no contact and no default: no mail about this organisation is sent");
        }
    }

    /// `false` if it was asked to stop before the mail was taken or given up.
    fn send(&self, notice: &Notice, to: &Mailbox, mail: &[u8], pauses: &mut Pauses<'_>) -> bool {
        let envelope = match self.settings.sender.envelope(to) {
            Ok(envelope) => envelope,
            Err(error) => return self.give_up(notice, to, 0, (None, error.to_string()), pauses),
        };
        let mut backoff = Backoff::new(self.settings.pause, self.settings.pause_max);
        let (mut attempts, mut put_off) = (0, 0);
        loop {
            let error = match self.server.post(&envelope, mail) {
                Ok(()) => {
                    self.counts.sent.fetch_add(1, Ordering::Relaxed);
                    return true;
                }
                Err(error) => error,
            };
            attempts += 1;
            match error {
                PostError::Refused(status, error) => {
                    return self.give_up(notice, to, attempts, (Some(status), error), pauses);
                }
                PostError::Deferred(status, error) if put_off + 1 >= self.settings.attempts_max => {
                    return self.give_up(notice, to, attempts, (Some(status), error), pauses);
                }
                PostError::Deferred(..) => put_off += 1,
                PostError::Unreachable(_) => {}
            }
            self.counts.put_off.fetch_add(1, Ordering::Relaxed);
            let pause = backoff.next();
            let pause_s = pause.as_secs_f32();
            tracing::warn!(org = notice.org(), seq = notice.seq(), %error, pause_s, "a mail was not taken; trying again");
            if pauses.wait(pause) {
                return false;
            }
        }
    }

    /// `false` if it was asked to stop before the letter was kept.
    fn give_up(
        &self,
        notice: &Notice,
        to: &Mailbox,
        attempts: u32,
        last: (Option<u16>, String),
        pauses: &mut Pauses<'_>,
    ) -> bool {
        let (status, error) = last;
        tracing::error!(org = notice.org(), seq = notice.seq(), attempts, error, "a mail was given up");
        let letter = DeadLetter {
            channel: Channel::Mail,
            to: to.to_string(),
            id: self.settings.sender.message_id(notice),
            body: notice.line().to_owned(),
            status,
            error,
            attempts,
            at: now(),
        };
        let is_kept = bury(self.dead.as_ref(), &letter, pauses);
        self.counts.dead.fetch_add(u64::from(is_kept), Ordering::Relaxed);
        is_kept
    }
}

impl<F> fmt::Debug for Mailer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("settings", &self.post.settings).finish_non_exhaustive()
    }
}
