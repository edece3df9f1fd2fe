#![no_main]

use std::sync::LazyLock;

use drawdown_wire::source::{Context, Profile};
use libfuzzer_sys::fuzz_target;

static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let names = ["asterisk-csv", "freeswitch-csv", "teams-export", "excel-teams", "cucm"];
    names.map(|name| Profile::named(&format!("{name},zone=Europe/Berlin,region=DE")).expect("shipped")).into()
});

// The first line is the header, where the source has one.
fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (first, rest) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let context = Context { org: Some("o"), ..Context::default() };
    for profile in PROFILES.iter() {
        match profile.header("fuzz", &[first.to_vec()]) {
            Ok(Some(header)) => drop(profile.decode(rest, Some(&header), &context)),
            Ok(None) => drop(profile.decode(first, None, &context)),
            Err(_) => {}
        }
    }
});
