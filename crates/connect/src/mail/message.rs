//! A mail as it crosses the wire.

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};

use super::templates::Mail;
use crate::notice::Notice;

/// A mail cannot be written. Nothing that an event says can bring this about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MessageError(pub String);

/// Whom mails are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The author.
    pub from: Mailbox,
    /// Where answers go, if elsewhere.
    pub reply_to: Option<Mailbox>,
}

impl Sender {
    /// The `Message-ID` of the mail about an event: the same whenever it is sent, and to whomever.
    pub fn message_id(&self, notice: &Notice) -> String {
        format!("<{}@{}>", notice.identity("mail"), self.from.email.domain())
    }

    /// The bytes of a mail to all of `to`.
    pub(crate) fn write(&self, notice: &Notice, mail: &Mail, to: &[Mailbox]) -> Result<Vec<u8>, MessageError> {
        let automatic =
            HeaderName::new_from_ascii("Auto-Submitted".to_owned()).map_err(|error| MessageError(error.to_string()))?;
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(mail.subject.clone())
            .message_id(Some(self.message_id(notice)))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .date_now();
        for mailbox in self.reply_to.iter().cloned() {
            message = message.reply_to(mailbox);
        }
        for mailbox in to {
            message = message.to(mailbox.clone());
        }
        let parts = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
        let message = message.multipart(parts).map_err(|error| MessageError(error.to_string()))?;
        Ok(message.formatted())
    }

    /// The envelope for one of those it is to: so a refusal of one address concerns nobody else.
    pub(crate) fn envelope(&self, to: &Mailbox) -> Result<Envelope, MessageError> {
        Envelope::new(Some(self.from.email.clone()), vec![to.email.clone()])
            .map_err(|error| MessageError(error.to_string()))
    }
}
