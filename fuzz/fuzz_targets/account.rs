#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(opening) = drawdown_wire::account::read(bytes) {
        let _ = drawdown_ledger::Account::restore(opening, &drawdown_ledger::Rules::default());
    }
});
