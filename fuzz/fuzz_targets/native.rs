#![no_main]

use drawdown_wire::source::Context;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    drop(drawdown_wire::native::decode(bytes, &Context { org: Some("o"), ..Context::default() }));
});
