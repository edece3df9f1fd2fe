use super::*;

const SOUND: &str = r#"
name = "switch"
format = "csv"

[csv]
columns = ["id", "to", "at", "s"]

[fields]
id = "id"
callee = "to"
start = "at"

[call_type]
default = "user_out"

[duration]
field = "s"

[times]
layouts = ["rfc3339"]
"#;

fn faults(text: &str) -> Vec<String> {
    match Profile::parse("switch.toml", text) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

/// Every fault is told at once, with its line and what to mend.
fn check(text: &str, expected: &[&str]) {
    let found = faults(text);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found}\ndoes not say\n{expected}");
    }
}

#[test]
fn every_shipped_profile_is_sound() {
    for name in Profile::names() {
        let overrides = Overrides { zone: Some("Europe/Berlin".into()), region: Some("DE".into()) };
        let text = SHIPPED.iter().find(|(shipped, _)| *shipped == name).expect("shipped").1;
        let profile = Profile::parse_with(name, text, &overrides).unwrap_or_else(|faults| panic!("{faults:?}"));
        assert_eq!(profile.name(), name);
    }
    check(SOUND, &[]);
}

/// Facts to honour in domain.md section 1: Asterisk times are local, and a zone is required.
#[test]
fn a_zone_is_required_for_local_times() {
    for name in ["asterisk-csv", "freeswitch-csv"] {
        let faults = Profile::named(name).expect_err("no zone");
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].to_string().contains("zone=Europe/Berlin"), "{}", faults[0]);
    }
    let wrong = Profile::named("asterisk-csv,zone=Mars/Olympus,region=XX").expect_err("no such zone");
    let texts: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    assert!(texts.iter().any(|text| text.contains("\"Mars/Olympus\" is no time zone")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("\"XX\" is no country")), "{texts:?}");
    let unknown = Profile::named("astrisk").expect_err("unknown");
    assert!(unknown[0].to_string().contains("asterisk-csv"), "{}", unknown[0]);
    let setting = Profile::named("graph,zona=UTC").expect_err("no such setting");
    assert!(setting[0].to_string().contains("\"zona=UTC\" is no setting"), "{}", setting[0]);
}

#[test]
fn all_faults_are_told_with_what_to_mend() {
    check("name = ", &["switch.toml:1"]);
    check("name = \"x\"\nformat = \"xml\"", &["switch.toml:2"]);
    check(
        "name = \"x\"\nformat = \"csv\"\nquotes = 1\n[csv]\ndelimeter = \";\"",
        &[
            "switch.toml:3: quotes: this key is not known",
            "switch.toml:5: delimeter: this key is not known; remove it or write one of delimiter",
        ],
    );
    check(
        "name = \"\"\nformat = \"json\"",
        &[
            "switch.toml:1: name: is empty",
            "fields.id: rating needs this field",
            "fields.callee: rating needs",
            "fields.start: rating needs",
            "duration.field: it is not said",
            "call_type.default: it is not said",
            "times.layouts: it is not said",
        ],
    );
    let wrong = SOUND
        .replace("\"user_out\"", "\"outbound\"")
        .replace("\"rfc3339\"", "\"iso\", \"%Y-%m-%d %H:%M\"")
        .replace("callee = \"to\"", "callee = [\"to\", \"id\"]\ncaler = \"from\"")
        .replace("\"s\"]", "\"secs\"]")
        + "\n[numbers]\ninternal = [\"1XX\"]\noutside_line = \"nine\"\n";
    check(
        &wrong,
        &[
            "switch.toml:10: fields.callee: one name is expected",
            "switch.toml:11: fields.caler: this field is not known",
            "call_type.default: \"outbound\" is no call type",
            "times.layouts: \"iso\" is no layout",
            "numbers.internal: \"1XX\" is no pattern",
            "numbers.outside_line",
            "times.zone: times are local",
        ],
    );
    check(&SOUND.replace("\"s\"]", "\"secs\"]"), &["csv.columns: \"s\" is used but is no column"]);
    check(&SOUND.replace("columns = [\"id\", \"to\", \"at\", \"s\"]", ""), &["csv.columns"][..]);
    check("name = \"x\"\nformat = \"native\"\n[fields]\nid = \"x\"", &["format: native rows"]);
}

#[test]
fn a_record_is_withdrawn_in_the_words_of_spreadsheets() {
    let text = SOUND.replace("\"s\"]", "\"s\", \"gone\"]").replace("id = \"id\"", "id = \"id\"\nvoid = \"gone\"");
    let profile = Profile::parse("switch.toml", &text).expect("sound");
    let context = Context { org: Some("o"), ..Context::default() };
    let is_void = |word: &str| {
        let line = format!("a,+4420,2026-01-01T00:00:00Z,7,{word}");
        match profile.decode(line.as_bytes(), None, &context) {
            Ok(Decoded::Cdr(cdr)) => Some(cdr.void),
            Ok(Decoded::NotACall) => panic!("a call"),
            Err(rejection) => {
                assert_eq!((rejection.reason, rejection.field.as_deref()), (Reason::BadField, Some("gone")));
                None
            }
        }
    };
    for (words, expected) in [
        (&["true", "TRUE", "True", "yes", "1"][..], Some(true)),
        (&["", " ", "false", "FALSE", "No", "0"], Some(false)),
        (&["maybe", "01", "y", "2", "wahr"], None),
    ] {
        for &word in words {
            assert_eq!(is_void(word), expected, "{word:?}");
        }
    }
}

#[test]
fn a_header_names_the_columns_in_any_order() {
    let text = SOUND.replace("columns = [\"id\", \"to\", \"at\", \"s\"]", "header_lines = 1\ndelimiter = \",;\"");
    let profile = Profile::parse("switch.toml", &text).expect("sound");
    let header = profile.header("calls.csv", &[b"S;New;To;\"AT\";Id".to_vec()]).expect("a header").expect("has one");
    let context = Context { org: Some("o"), ..Context::default() };
    let line = b"7;unknown columns are ignored;+4420;2026-01-01T00:00:00Z;a";
    let Ok(Decoded::Cdr(cdr)) = profile.decode(line, Some(&header), &context) else { panic!("a call") };
    assert_eq!((&*cdr.id, cdr.seconds), ("a", 7));
    let faults = profile.header("calls.csv", &[b"id,to,start".to_vec()]).expect_err("columns are missing");
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].starts_with("calls.csv:1: the header has no column at"), "{texts:?}");
    let rejection = profile.decode(line, None, &context).expect_err("no header");
    assert_eq!(rejection.reason, Reason::ColumnCount);
}
