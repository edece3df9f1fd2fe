//! A log, and decks, of which there is nothing: for a process that shows accounts and no more.

use std::sync::atomic::AtomicBool;

use drawdown_engine::inbox::{Done, Inbox, Message, NotAccepted};
use drawdown_units::Timestamp;
use serde_json::{Value, json};

use crate::books::{Books, BooksError, Decks, Format, Lines, Page, PriceQuery, Query};

/// Has nothing, takes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

fn nothing<T>() -> Result<T, BooksError> {
    Err(BooksError::Unavailable("this process has no log".to_owned()))
}

impl Inbox for Nothing {
    fn put(&self, _: Message, done: Done) {
        done(Err(NotAccepted("this process has no log".to_owned())));
    }
}

impl Books for Nothing {
    fn page(&self, _: &mut Query<'_>) -> Result<Page, BooksError> {
        nothing()
    }

    fn end(&self, _: Lines, _: &str) -> Result<String, BooksError> {
        nothing()
    }

    fn explain(&self, _: &[u8], _: &[u8]) -> Result<Value, BooksError> {
        nothing()
    }

    fn usage(&self, _: &str, _: Timestamp, _: Timestamp, _: Format, _: &AtomicBool) -> Result<Vec<u8>, BooksError> {
        nothing()
    }

    fn statement(&self, _: &str, _: &str, _: &AtomicBool) -> Result<Value, BooksError> {
        nothing()
    }
}

impl Decks for Nothing {
    fn list(&self) -> Value {
        json!({"decks": [], "ratePlans": []})
    }

    fn publish(&self, _: &str, _: Option<&str>) -> Result<Value, BooksError> {
        nothing()
    }

    fn withdraw(&self, _: &str, _: u32) -> Result<Value, BooksError> {
        nothing()
    }

    fn diff(&self, _: &str, _: u32, _: u32) -> Result<Value, BooksError> {
        nothing()
    }

    fn price(&self, _: &PriceQuery<'_>) -> Result<Value, BooksError> {
        nothing()
    }
}
