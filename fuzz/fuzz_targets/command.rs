#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = drawdown_wire::command::decode(bytes);
});
