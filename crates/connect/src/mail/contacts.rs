//! Who is written to: a file of addresses, looked at again whenever it changes.
//!
//! Invariant: a file that cannot be read any more changes nothing; the log says so once for each change.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lettre::message::Mailbox;
use serde::Deserialize;

/// Why there are no contacts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContactsError {
    /// The file cannot be read.
    #[error("cannot read {0}: {1}")]
    File(PathBuf, String),
    /// It is not laid out as it should be.
    #[error("{0}: {1}")]
    Layout(PathBuf, String),
    /// Something in it is no address.
    #[error("{0}: {1:?} is not the address of a mailbox")]
    Address(PathBuf, String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    default: Vec<String>,
    #[serde(default)]
    orgs: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Default)]
struct Book {
    default: Vec<Mailbox>,
    orgs: BTreeMap<String, Vec<Mailbox>>,
}

/// Tells one version of a file from the next.
type Version = Option<(SystemTime, u64)>;

/// Addresses by organisation.
#[derive(Debug)]
pub struct Contacts {
    path: PathBuf,
    version: Version,
    book: Book,
}

impl Contacts {
    /// Reads a file: `default = ["…"]` for organisations that are not listed, and `[orgs]` with `name = ["…"]`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ContactsError> {
        let path = path.into();
        let version = version(&path);
        let book = read(&path)?;
        Ok(Contacts { path, version, book })
    }

    /// Looks whether the file changed, and reads it again if so. Returns whether addresses changed.
    pub fn refresh(&mut self) -> bool {
        let version = version(&self.path);
        if version == self.version {
            return false;
        }
        self.version = version;
        match read(&self.path) {
            Ok(book) => {
                self.book = book;
                true
            }
            Err(error) => {
                tracing::error!(%error, "contacts cannot be read any more; the old ones stay");
                false
            }
        }
    }

    /// Whom to write to. An organisation that is listed with nobody is not written to at all.
    pub fn of(&self, org: &str) -> &[Mailbox] {
        self.book.orgs.get(org).unwrap_or(&self.book.default)
    }
}

fn version(path: &Path) -> Version {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(path: &Path) -> Result<Book, ContactsError> {
    let text = fs::read_to_string(path).map_err(|error| ContactsError::File(path.to_owned(), error.to_string()))?;
    let document: Document =
        toml::from_str(&text).map_err(|error| ContactsError::Layout(path.to_owned(), error.to_string()))?;
    let mailboxes = |texts: Vec<String>| {
        let parse = |text: String| parse(&text).ok_or_else(|| ContactsError::Address(path.to_owned(), text.clone()));
        texts.into_iter().map(parse).collect::<Result<Vec<_>, _>>()
    };
    let orgs = document.orgs.into_iter().map(|(org, texts)| Ok((org, mailboxes(texts)?)));
    Ok(Book { orgs: orgs.collect::<Result<_, _>>()?, default: mailboxes(document.default)? })
}

fn parse(text: &str) -> Option<Mailbox> {
    if text.chars().any(char::is_control) { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Contacts, ContactsError};

    #[test]
    fn contacts_are_looked_at_again_when_they_change() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("contacts.toml");
        let write = |text: &str| fs::write(&path, text).expect("written");
        write(
            "default = [\"ops@example.com\"]\n[orgs]\ncontoso = [\"Ada <ada@contoso.example>\", \"b@c.example\"]\nquiet = []\n",
        );
        let mut contacts = Contacts::open(&path).expect("contacts");
        let of = |contacts: &Contacts, org: &str| {
            contacts.of(org).iter().map(|one| one.email.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(of(&contacts, "contoso"), ["ada@contoso.example", "b@c.example"]);
        assert_eq!(of(&contacts, "fabrikam"), ["ops@example.com"]);
        assert!(of(&contacts, "quiet").is_empty());
        assert!(!contacts.refresh());
        write("default = [\"other@example.com\"]\n");
        assert!(contacts.refresh());
        assert_eq!(of(&contacts, "contoso"), ["other@example.com"]);
        write("default = 7");
        assert!(!contacts.refresh());
        assert_eq!(of(&contacts, "contoso"), ["other@example.com"]);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("contacts.toml");
        for text in ["ops", "a@b.example\\r\\nBcc: c@d.example", "\\\"x\\r\\nBcc: c@d.example\\\" <a@b.example>", ""] {
            fs::write(&path, format!("default = [\"{text}\"]")).expect("written");
            assert!(matches!(Contacts::open(&path), Err(ContactsError::Address(..))), "{text}");
        }
        fs::write(&path, "defaults = []").expect("written");
        assert!(matches!(Contacts::open(&path), Err(ContactsError::Layout(..))));
    }
}
