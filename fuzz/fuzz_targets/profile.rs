#![no_main]

use drawdown_wire::source::Profile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    drop(Profile::parse("fuzz", text));
    drop(Profile::named(text));
});
