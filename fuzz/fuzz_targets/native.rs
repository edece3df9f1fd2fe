#![no_main]

use drawdown_wire::native::decode;
use drawdown_wire::source::Context;
use libfuzzer_sys::fuzz_target;

// A plain row is read by hand, and a space before it leaves it to the JSON reader: both must say the same.
fuzz_target!(|bytes: &[u8]| {
    let context = Context { org: Some("o"), ..Context::default() };
    let spaced = [b" ", bytes].concat();
    match (decode(bytes, &context), decode(&spaced, &context)) {
        (Ok(one), Ok(other)) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
        (Err(one), Err(other)) => assert_eq!((one.reason, one.field), (other.reason, other.field)),
        (one, other) => panic!("{one:?} without a space, {other:?} with one"),
    }
});
