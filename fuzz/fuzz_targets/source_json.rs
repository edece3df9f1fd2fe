#![no_main]

use std::sync::LazyLock;

use drawdown_wire::source::{Context, Profile};
use libfuzzer_sys::fuzz_target;

static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    ["freeswitch-json,region=DE", "twilio,region=US"].map(|name| Profile::named(name).expect("shipped")).into()
});

fuzz_target!(|bytes: &[u8]| {
    for profile in PROFILES.iter() {
        drop(profile.decode(bytes, None, &Context { org: Some("o"), ..Context::default() }));
    }
});
