//! Dead letters, mailed again because somebody asked for it.

use lettre::message::Mailbox;

use super::message::Sender;
use super::server::Server;
use super::templates::Templates;
use crate::dead::{Channel, DeadLetter, DeadLetterError, DeadLetters, Replayed};
use crate::notice::Notice;

/// Writes each mail anew and sends it once, to the address that did not get it, and removes those that were taken.
///
/// # Errors
/// Letters cannot be read or removed; what was sent and not removed is sent again next time, under the same `Message-ID`.
pub fn replay(
    dead: &dyn DeadLetters,
    sender: &Sender,
    server: &Server,
    templates: &Templates,
    currency: &dyn Fn(&str) -> Option<String>,
) -> Result<Replayed, DeadLetterError> {
    let mut replayed = Replayed::default();
    for letter in dead.all()? {
        if letter.channel != Channel::Mail {
            replayed.passed_over += 1;
            continue;
        }
        match send(&letter, sender, server, templates, currency) {
            Ok(()) => {
                dead.remove(std::slice::from_ref(&letter))?;
                replayed.sent += 1;
            }
            Err(error) => {
                tracing::warn!(to = letter.to, id = letter.id, error, "still not taken");
                replayed.failed += 1;
            }
        }
    }
    Ok(replayed)
}

fn send(
    letter: &DeadLetter,
    sender: &Sender,
    server: &Server,
    templates: &Templates,
    currency: &dyn Fn(&str) -> Option<String>,
) -> Result<(), String> {
    let to: Mailbox = letter.to.parse().map_err(|_| format!("{:?} is not the address of a mailbox", letter.to))?;
    let notice = Notice::read(letter.body.as_bytes()).map_err(|error| error.to_string())?;
    let mail = templates.render(&notice, currency(notice.org()).as_deref()).map_err(|error| error.to_string())?;
    let envelope = sender.envelope(&to).map_err(|error| error.to_string())?;
    let mail = sender.write(&notice, &mail, &[to]).map_err(|error| error.to_string())?;
    server.post(&envelope, &mail).map_err(|error| error.to_string())
}
