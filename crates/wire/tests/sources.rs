//! Source profiles from outside: every shipped sample, every dialled string of libphonenumber, every boundary case of
//! reading usage records, and input that is broken.

#[path = "sources/bad_input.rs"]
mod bad_input;
#[path = "sources/numbers.rs"]
mod numbers;
#[path = "sources/properties.rs"]
mod properties;
#[path = "sources/rules.rs"]
mod rules;
#[path = "sources/samples.rs"]
mod samples;

use drawdown_wire::framing::{Chunk, Options, Reader};
use drawdown_wire::source::{Context, Decoded, Profile};
use drawdown_wire::{Callee, Cdr, Rejection};

/// A shipped profile.
fn profile(specification: &str) -> Profile {
    Profile::named(specification).unwrap_or_else(|faults| panic!("{specification}: {faults:?}"))
}

/// Reads `bytes` as a file of `profile` and shows every record in one line.
fn read(profile: &Profile, bytes: &[u8], context: &Context<'_>) -> Vec<String> {
    let options = Options::new(profile.layout());
    let mut reader = Reader::new(std::io::Cursor::new(bytes.to_vec()), "test", options).expect("opens");
    let mut chunk = Chunk::new();
    let mut shown = Vec::new();
    let mut header = None;
    while reader.next_chunk(&mut chunk).expect("reads") {
        if header.is_none() {
            header = profile.header("test", reader.header()).expect("a header");
        }
        for (_, record) in chunk.iter() {
            let decoded = profile.decode(record, header.as_ref(), &Context { ..*context });
            shown.push(show(&decoded));
        }
    }
    shown
}

fn show(decoded: &Result<Decoded<'_>, Rejection>) -> String {
    match decoded {
        Ok(Decoded::Cdr(cdr)) => show_cdr(cdr),
        Ok(Decoded::NotACall) => "not a call".to_owned(),
        Err(rejection) => match &rejection.field {
            Some(field) => format!("{} ({field})", rejection.reason.name()),
            None => rejection.reason.name().to_owned(),
        },
    }
}

fn show_cdr(cdr: &Cdr<'_>) -> String {
    let flags: Vec<&str> = cdr.flags.names().collect();
    let id: String = cdr.id.chars().rev().take(6).collect::<Vec<char>>().into_iter().rev().collect();
    format!(
        "{} {}/…{id} {} {} {} {} s {}",
        cdr.org,
        cdr.source,
        cdr.text.call_type,
        show_callee(cdr.callee),
        cdr.start,
        cdr.seconds,
        flags.join(" ")
    )
    .trim_end()
    .to_owned()
}

fn show_callee(callee: Callee) -> String {
    match callee {
        Callee::Number { number, masked: false } => format!("+{number}"),
        Callee::Number { number, masked: true } => format!("+{number}*"),
        Callee::NothingVisible => "*".to_owned(),
        Callee::Emergency => "emergency".to_owned(),
        Callee::ShortCode { free } => format!("short-code({free})"),
        Callee::Internal => "internal".to_owned(),
        Callee::NotRated => "-".to_owned(),
    }
}
