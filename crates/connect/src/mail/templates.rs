//! What mails say: templates, those of `config/mail` or an operator's own.
//!
//! Invariants: a template that opened renders every event of its kind, with or without what an event may lack. In HTML
//! whatever an event says is text; a subject is one line.

use std::fs;
use std::path::{Path, PathBuf};

use minijinja::value::{Serde, Value};
use minijinja::{Environment, State, UndefinedBehavior, context};

use super::Kind;
use crate::notice::Notice;

/// A subject has no more characters than this.
const SUBJECT_MAX: usize = 200;

/// The three templates of a mail, by the endings of their names.
const ENDINGS: [&str; 3] = ["subject", "txt", "html"];

/// A template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A file or the directory cannot be read.
    #[error("cannot read {0}: {1}")]
    File(PathBuf, String),
    /// A file is called as no template is.
    #[error("{0}: there is no such template")]
    Unknown(PathBuf),
    /// A template is wrong, or asks for what an event has not.
    #[error("template {0}: {1}")]
    Render(String, String),
}

/// A mail, but for whom it is from and to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The same in HTML.
    pub html: String,
}

/// The templates of all kinds.
#[derive(Debug)]
pub struct Templates(Environment<'static>);

impl Templates {
    /// The templates that are part of the program; those in `directory`, if one is given, take their place.
    ///
    /// # Errors
    /// One of them cannot be read, or does not render an event of its kind.
    pub fn open(directory: Option<&Path>) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.add_filter("money", money);
        let mut templates = Templates(environment);
        for (name, source) in BUILT_IN {
            templates.add((*name).to_owned(), (*source).to_owned())?;
        }
        if let Some(directory) = directory {
            templates.add_directory(directory)?;
        }
        for sample in samples() {
            templates.render(&sample, None)?;
            templates.render(&sample, Some("EUR"))?;
        }
        Ok(templates)
    }

    fn add_directory(&mut self, directory: &Path) -> Result<(), TemplateError> {
        let fault = |path: &Path, error: std::io::Error| TemplateError::File(path.to_owned(), error.to_string());
        for entry in fs::read_dir(directory).map_err(|error| fault(directory, error))? {
            let path = entry.map_err(|error| fault(directory, error))?.path();
            let ending = path.extension().and_then(|ending| ending.to_str());
            if !ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !BUILT_IN.iter().any(|(built_in, _)| *built_in == name) {
                return Err(TemplateError::Unknown(path));
            }
            let source = fs::read_to_string(&path).map_err(|error| fault(&path, error))?;
            self.add(name, source)?;
        }
        Ok(())
    }

    fn add(&mut self, name: String, source: String) -> Result<(), TemplateError> {
        let added = self.0.add_template_owned(name.clone(), source);
        added.map_err(|error| TemplateError::Render(name, error.to_string()))
    }

    /// The mail about an event that one is written about. `currency` is that of the account, if it is known.
    ///
    /// # Errors
    /// The event lacks what its kind has always had; or nobody is written to about it.
    pub fn render(&self, notice: &Notice, currency: Option<&str>) -> Result<Mail, TemplateError> {
        let kind = Kind::of(notice)
            .ok_or_else(|| TemplateError::Render(notice.kind().to_owned(), "there is none".to_owned()))?;
        let event = Value::from(Serde(notice.fields()));
        let values = context! { event, org => notice.org(), seq => notice.seq(), currency };
        let render = |ending: &str| {
            let name = format!("{}.{ending}", kind.name());
            let rendered = self.0.get_template(&name).and_then(|template| template.render(values.clone()));
            rendered.map_err(|error| TemplateError::Render(name, error.to_string()))
        };
        Ok(Mail { subject: one_line(&render("subject")?), text: render("txt")? + "\n", html: render("html")? + "\n" })
    }
}

/// An amount with its currency, where that is known.
fn money(state: &State<'_, '_>, amount: &str) -> String {
    match state.lookup("currency").filter(|currency| !currency.is_none()) {
        Some(currency) => format!("{amount} {currency}"),
        None => amount.to_owned(),
    }
}

fn one_line(text: &str) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(SUBJECT_MAX).collect()
}

macro_rules! built_in {
    ($($name:literal),*) => { &[$(
        (concat!($name, ".subject"), include_str!(concat!("../../../../config/mail/", $name, ".subject"))),
        (concat!($name, ".txt"), include_str!(concat!("../../../../config/mail/", $name, ".txt"))),
        (concat!($name, ".html"), include_str!(concat!("../../../../config/mail/", $name, ".html"))),
    )*] };
}

const BUILT_IN: &[(&str, &str)] =
    built_in!["recharge-succeeded", "recharge-failed", "balance-zero", "pool-threshold", "cap-reached", "lot-expiring"];

/// Events of each kind, with and without what they may lack: what templates are tried on.
fn samples() -> impl Iterator<Item = Notice> {
    let lines = include_str!("templates/samples.jsonl").lines();
    lines.map(|line| Notice::read(line.as_bytes()).expect("invariant: the samples are events"))
}

#[cfg(test)]
mod tests;
