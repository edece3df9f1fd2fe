//! A text that no log may show.

use std::fmt;

use super::reader::Reader;

/// A secret: nothing prints it but who asks for it by name.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    pub fn new(text: String) -> Self {
        Secret(text)
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret, from its key or from the file that another key names.
pub(super) fn read(reader: &mut Reader, path: &'static str, file_path: &'static str) -> Option<Secret> {
    let secret = reader.secret_if_given(path);
    let Some(file) = reader.text_if_given(file_path) else { return secret };
    if secret.is_some() {
        reader.fault(file_path, format!("{path} is given too"), "leave one of the two out");
    }
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => {
            let what = format!("{file} cannot be read: {error}");
            reader.fault(file_path, what, "name a file that drawdown may read, with the secret in it");
            return secret;
        }
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        reader.fault(file_path, format!("{file} is empty"), "put the secret into it");
    }
    Some(Secret::new(text.to_owned()))
}
