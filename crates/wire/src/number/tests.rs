use super::*;

fn check(plan: &NumberPlan, region: Option<&str>, text: &str, expected: &str) {
    let found = match classify(plan, text, region, "calleeNumber") {
        Ok(Callee::Number { number, masked: false }) => format!("+{number}"),
        Ok(Callee::Number { number, masked: true }) => format!("+{number} masked"),
        Ok(Callee::NothingVisible) => "nothing visible".into(),
        Ok(Callee::Emergency) => "emergency".into(),
        Ok(Callee::ShortCode { free }) => format!("short code, free {free}"),
        Ok(Callee::Internal) => "internal".into(),
        Ok(Callee::NotRated) => "not rated".into(),
        Err(rejection) => {
            assert_eq!(rejection.field.as_deref(), Some("calleeNumber"));
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            let leaks = digits(text).len() > 5 && digits(&rejection.detail).contains(&digits(text));
            assert!(!leaks, "{} shows {text}", rejection.detail);
            rejection.reason.name().into()
        }
    };
    assert_eq!(found, expected, "{text:?} in {region:?}");
}

fn check_all(plan: &NumberPlan, cases: &[(Option<&str>, &str, &str)]) {
    for (region, text, expected) in cases {
        check(plan, *region, text, expected);
    }
}

/// boundaries.md N3: what cannot be normalised to E.164 is rejected; too short is not bad.
#[test]
fn reads_what_switches_write() {
    check_all(
        &NumberPlan::unknown(),
        &[
            (None, "+442071838750", "+442071838750"),
            (None, " +44 20 7183-8750 ", "+442071838750"),
            (None, "+44 (0)20 7183 8750", "+442071838750"),
            (None, "tel:+44-20-7183-8750", "+442071838750"),
            (None, "TEL:+44-20-7183-8750;ext=12", "+442071838750"),
            (None, "sip:+442071838750@gw.example.net;user=phone", "+442071838750"),
            (Some("GB"), "020 7183 8750", "+442071838750"),
            (Some("gb"), "00 1 212 555 2368", "+12125552368"),
            (Some("US"), "011442071838750", "+442071838750"),
            (Some("GB"), "020 7183 8750 x123", "+442071838750"),
            (Some("GB"), "020 7183 8750 ext. 123", "+442071838750"),
            (Some("IT"), "06 698 12345", "+390669812345"),
            (None, "+44", "+44"),
            (None, "+4 4", "+44"),
            (None, "020 7183 8750", "bad-number"),
            (Some("ZZ"), "020 7183 8750", "bad-number"),
            (Some("Britain"), "020 7183 8750", "bad-number"),
            (Some("ZZ"), "+44 (0)20 7183 8750", "+442071838750"),
            (Some("US"), "1-800-FLOWERS", "bad-number"),
            (Some("US"), "+1800FLOWERS", "bad-number"),
            (Some("US"), "anonymous", "bad-number"),
            (None, "+0442071838750", "bad-number"),
            (None, "+0 44 20 71", "bad-number"),
            (None, "+1234567890123456", "bad-number"),
            (None, "1234567890123456789012345678901234567890", "bad-number"),
            (Some("DE"), "1234567890123456789012345678901234567890", "bad-number"),
            (None, "+", "bad-number"),
            (None, "++44 20", "+4420"),
            (None, "\u{0}", "bad-number"),
            (None, "", "missing-field"),
            (None, "   ", "missing-field"),
        ],
    );
}

/// boundaries.md N1, N2: the digits before the first star count.
#[test]
fn masked_numbers_match_by_their_visible_digits() {
    check_all(
        &NumberPlan::unknown(),
        &[
            (None, "+4912345***", "+4912345 masked"),
            (None, "+49 12345 ***", "+4912345 masked"),
            (None, "+44*1838750", "+44 masked"),
            (None, "***", "nothing visible"),
            (None, "+***", "nothing visible"),
            (None, "****1234", "nothing visible"),
            (None, "+01234567***", "bad-number"),
            (Some("GB"), "0207183****", "+44207183 masked"),
            (Some("GB"), "00492071****", "+492071 masked"),
            (Some("DE"), "030 1234 ***", "+49301234 masked"),
            (None, "0207183****", "bad-number"),
        ],
    );
}

/// boundaries.md U14: tested in the region, before normalising; a string with `+` is never a short code.
#[test]
fn short_codes_come_before_normalising() {
    check_all(
        &NumberPlan::unknown(),
        &[
            (Some("GB"), "999", "emergency"),
            (Some("gb"), "1-1-2", "emergency"),
            (Some("US"), "911", "emergency"),
            (Some("DE"), "911", "+49911"),
            (Some("AR"), "19", "short code, free true"),
            (None, "+112", "+112"),
            (None, "112", "bad-number"),
        ],
    );
}

/// boundaries.md N4.
#[test]
fn a_number_plan_declares_what_is_the_switchs_own() {
    let patterns = ["1xxx", "*xx", "9xx"].map(|text| Pattern::parse(text).expect("a pattern")).to_vec();
    let plan = NumberPlan::default()
        .with_region("gb")
        .with_internal(patterns)
        .with_outside_line("9")
        .with_international_prefix("90");
    check_all(
        &plan,
        &[
            (None, "1109", "internal"),
            (None, "*72", "internal"),
            (None, "*723", "bad-number"),
            (None, "999", "emergency"),
            (None, "9999", "emergency"),
            (None, "901", "internal"),
            (Some("US"), "902071838750", "+442071838750"),
            (None, "99012125552368", "+12125552368"),
            (None, "9020718387**", "+4420718387 masked"),
        ],
    );
    check(&NumberPlan::unknown(), Some("GB"), "*72", "bad-number");
    assert_eq!(Pattern::parse("1XXX"), None);
    assert_eq!(Pattern::parse(""), None);
}
