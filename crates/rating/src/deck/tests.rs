//! Reading decks: what is accepted, and the fault of everything that is not.

use proptest::prelude::*;

use super::*;
use crate::testing::{MANIFEST, compile, deck, joined};

/// Compiles the usual manifest with `more` keys and `rows`, and expects exactly these faults.
fn refuses(more: &str, rows: &str, faults: &[&str]) {
    refuses_bytes(&format!("{MANIFEST}{more}"), rows.as_bytes(), faults);
}

fn refuses_bytes(manifest: &str, rows: &[u8], faults: &[&str]) {
    let found = compile(manifest, rows).err().unwrap_or_else(|| panic!("{faults:?} expected"));
    assert_eq!(joined(&found), faults.join("\n"));
}

const PRICED: &str = "prefix,price_per_minute\n";
const GOOD: &str = "prefix,price_per_minute\n44,0.05\n";

#[test]
fn figures_that_are_no_plain_decimals_are_named_with_line_and_column() {
    for (price, what, mend) in [
        ("1e-9", "is not a plain decimal number", "write it without exponent"),
        ("NaN", "is not a plain decimal number", "write digits and at most one point"),
        ("-0.1", "is out of range", "write a number from 0"),
        ("1000000.1", "is out of range", "write a number from 0"),
        ("0.0000000001", "is more than 9 digits after the point", "round it to 9 decimals"),
        ("", "is empty", "write a number, 0 if it is free"),
        ("\"0,05\"", "is not a plain decimal number", "set decimal = \",\""),
    ] {
        let faults = compile(MANIFEST, format!("{PRICED}43,1\n\n44,{price}\n").as_bytes()).expect_err("a fault");
        let [fault] = faults.as_slice() else { panic!("{price}: {}", joined(&faults)) };
        assert_eq!((fault.file.as_str(), fault.line), ("test.csv", Some(4)), "{price}");
        assert_eq!(fault.column.as_deref(), Some("price_per_minute"));
        assert!(fault.what.contains(what) && fault.mend.contains(mend), "{price}: {fault}");
    }
}

#[test]
fn all_faults_are_found_in_one_pass() {
    refuses(
        "colour = \"red\"\n[defaults]\nincrement_s = 0\n",
        "prefix,price_per_minute,product,blocked,minimum_charge,maximum_charge,origin_prefix\n\
         044,x,sms,perhaps,1,0.5,0\n\
         44,0.1,,,1,0.5,\n",
        &[
            "test.toml:8: increment_s: 0 seconds are no increment; write 1 to 86400",
            "test.toml:6: colour: unknown key; known are rows, numbers, csv, bands, id, version, currency, \
             effectiveFrom, rounding, columns, defaults",
            "test.csv:2: prefix: \"044\" is no prefix of an E.164 number; write 1 to 15 digits in international form, \
             the first of them 1 to 9",
            "test.csv:2: price_per_minute: \"x\" is not a plain decimal number (digits and one point; no exponent, no \
             thousands separator); write digits and at most one point, such as 0.0125",
            "test.csv:2: product: \"sms\" is no product; write outbound or toll-free-inbound",
            "test.csv:2: origin_prefix: \"0\" is no prefix of an E.164 number; write 1 to 15 digits in international \
             form, the first of them 1 to 9",
            "test.csv:2: blocked: \"perhaps\" is neither true nor false; write true, yes or 1; or false, no or 0",
            "test.csv:3: maximum_charge: the maximum charge 0.50 is below the minimum 1.00; raise the maximum or lower \
             the minimum",
        ],
    );
}

/// boundaries.md C10: equal prefixes in one deck are an error with both line numbers.
#[test]
fn equal_rows_are_refused_with_both_lines() {
    refuses(
        "",
        "prefix,price_per_minute,product,origin_prefix\n44,1,,\n44,1,toll-free-inbound,\n44,1,,1\n45,1,,\n+44,2,,\n44,1,,1\n",
        &[
            "test.csv:7: prefix: lines 4 and 7 have the same prefix 44, product, origin and band; keep one of them",
            "test.csv:6: prefix: lines 2 and 6 have the same prefix 44, product, origin and band; keep one of them",
        ],
    );
}

/// boundaries.md C3: no increment of 0, and none that must be a mistake of units.
#[test]
fn increments_have_bounds() {
    let header = "prefix,price_per_minute,initial_s,increment_s\n";
    refuses(
        "",
        &format!("{header}44,1,0,0\n"),
        &["test.csv:2: increment_s: \"0\" is no number of seconds from 1 to 86400; write a whole number in that range"],
    );
    refuses(
        "",
        &format!("{header}44,1,86401,+6\n"),
        &[
            "test.csv:2: initial_s: \"86401\" is no number of seconds from 0 to 86400; write a whole number in that range",
            "test.csv:2: increment_s: \"+6\" is no number of seconds from 1 to 86400; write a whole number in that range",
        ],
    );
    assert_eq!(deck("", &format!("{header}44,1,0,1\n")).rows()[0].initial_s, 0);
}

#[test]
fn columns_must_be_known_and_single_and_the_required_ones_there() {
    refuses(
        "",
        "prefix,price_per_minute,colour,prefix\n44,1,red,45\n",
        &[
            "test.csv:1: colour: unknown column \"colour\"; map it under [columns] in the manifest, list it in ignore under \
         [csv], or use one of prefix, destination, product, price_per_minute, connection_fee, initial_s, increment_s, \
         minimum_charge, maximum_charge, band, origin_prefix, blocked, premium, tier2_from_s, tier2_price_per_minute, \
         tier3_from_s, tier3_price_per_minute",
            "test.csv:1: prefix: there are two columns for prefix; keep one; list the other in ignore under [csv]",
        ],
    );
    refuses(
        "[columns]\n\"Rate\" = \"price_per_minute\"\n",
        "prefix,rate\n44,1\n",
        &[
            "test.csv:1: rate: unknown column \"rate\"; map it under [columns] in the manifest, list it in ignore under \
         [csv], or use one of prefix, destination, product, price_per_minute, connection_fee, initial_s, increment_s, \
         minimum_charge, maximum_charge, band, origin_prefix, blocked, premium, tier2_from_s, tier2_price_per_minute, \
         tier3_from_s, tier3_price_per_minute",
            "test.toml:7: Rate: test.csv has no such column; write the name as it stands in the header",
            "test.csv:1: price_per_minute: the column is missing; add it, or map the vendor's name under [columns] in the \
         manifest",
        ],
    );
    refuses("", "", &["test.csv: the file is empty; write a header line and at least one row"]);
    refuses("", PRICED, &["test.csv: there are no rows; write at least one row below the header"]);
}

#[test]
fn broken_cells_are_named_with_line_and_column() {
    refuses_bytes(
        MANIFEST,
        b"prefix,price_per_minute\n4\x004,0.1\n44,\xff\n44\n44,1,2\n",
        &[
            "test.csv:2: prefix: the cell holds a NUL byte; remove it",
            "test.csv:3: price_per_minute: the cell is not UTF-8; save the file as UTF-8",
            "test.csv:4: price_per_minute: 1 cells, where the header has 2; write one cell for each column, and quote those \
         that hold the delimiter",
            "test.csv:5: 3 cells, where the header has 2; write one cell for each column, and quote those that hold the \
         delimiter",
        ],
    );
}

/// BOM, CRLF, blank lines, quotes, `+` and spaces are what spreadsheets make of a deck.
#[test]
fn reads_what_spreadsheets_write() {
    let rows =
        "\u{feff}\"prefix\", price_per_minute ,destination\r\n\r\n \"44\", 0.05 ,\"a, \"\"b\"\"\nc\"\r\n + 45,1,\r\n";
    refuses(
        "",
        rows,
        &[
            "test.csv:3: prefix: \"\\\"44\\\"\" is no prefix of an E.164 number; write 1 to 15 digits in international form, \
         the first of them 1 to 9",
            "test.csv:5: prefix: \"+ 45\" is no prefix of an E.164 number; write 1 to 15 digits in international form, the \
         first of them 1 to 9",
        ],
    );
    let rows =
        "\u{feff}\"prefix\", price_per_minute ,destination\r\n\r\n\"44\", 0.05 ,\"a, \"\"b\"\"\nc\"\r\n +45 ,1,\r\n";
    let deck = deck("", rows);
    let read: Vec<_> = deck.rows().iter().map(|row| (row.prefix.to_string(), &*row.destination, row.line)).collect();
    assert_eq!(read, [("44".to_owned(), "a, \"b\"\nc", 3), ("45".to_owned(), "", 5)]);
}

/// The reader takes what follows for text of the cell: rows would be missing from the deck without a word.
#[test]
fn a_quote_that_is_left_open_is_named_with_line_and_column() {
    let header = "prefix,price_per_minute,destination\n";
    let open = "the cell's quote is never closed";
    let text_follows = |line: u32| format!("the cell's quote is closed on line {line}, and text follows");
    let mend = "close it where the cell ends, and double the quotes inside of the cell";
    for (rows, place, what) in [
        ("44,0.02,\"United Kingdom\n447,0.30,Mobile\n45,0.1,\"\"\n", "test.csv:2: destination", open.to_owned()),
        ("44,0.02,\"UK", "test.csv:2: destination", open.to_owned()),
        ("44,0.02,\"", "test.csv:2: destination", open.to_owned()),
        ("44,0.02,\"UK\n447,0.30,\"Mobile\"\n45,0.1,\n", "test.csv:2: destination", text_follows(3)),
        ("44,0.02,\"UK\" Mobile\n", "test.csv:2: destination", text_follows(2)),
        ("\n44,\"0.02\"x,\"a\nb\"\r\n", "test.csv:3: price_per_minute", text_follows(3)),
        ("\"4\n4\",0.1,\"UK\n447,0.30,\"Mobile\n", "test.csv:3: destination", text_follows(4)),
        ("44,0.02,UK,\"more\n", "test.csv:2", open.to_owned()),
    ] {
        refuses("", &format!("{header}{rows}"), &[&format!("{place}: {what}; {mend}")]);
    }
    refuses("", "prefix,\"price_per_minute\n44,1\n", &[&format!("test.csv:1: {open}; {mend}")]);
    let sound = "44,\"0.02\" ,\"a \"\"b\"\",\nc\"\r\n45,1,2\" pipe\r\n46,1,\"\"\"\"";
    let deck = deck("", &format!("{header}{sound}"));
    let names: Vec<_> = deck.rows().iter().map(|row| &*row.destination).collect();
    assert_eq!(names, ["a \"b\",\nc", "2\" pipe", "\""]);
}

#[test]
fn other_vendors_names_figures_and_defaults_are_mapped() {
    let deck = deck(
        r#"rounding = { mode = "up", decimals = 2 }
[columns]
"Preis / min" = "price_per_minute"
"Zone" = "prefix"
[csv]
delimiter = ";"
ignore = ["Land"]
[numbers]
decimal = ","
thousands = "."
[defaults]
initial_s = 30
increment_s = 6
connection_fee = "0,10"
maximum_charge = 1000.5
product = "toll-free-inbound"
destination = "somewhere"
"#,
        "Zone;Preis / min;Land;initial_s\n44;1.234,5;GB;\n45;0,05;DK;1\n",
    );
    let [first, second] = deck.rows() else { panic!("two rows") };
    assert_eq!(first.price.to_string(), "1234.50");
    assert_eq!(second.price.to_string(), "0.05");
    assert_eq!((first.initial_s, second.initial_s, second.increment_s), (30, 1, 6));
    assert_eq!(
        (first.connection_fee.to_string(), first.maximum.map(|m| m.to_string())),
        ("0.10".into(), Some("1000.50".into()))
    );
    assert_eq!((first.product, &*first.destination), (Product::TollFreeInbound, "somewhere"));
    assert_eq!(deck.rounding().to_string(), "up/2");
}

#[test]
fn a_manifest_says_what_is_wrong_with_each_key() {
    refuses_bytes(
        "id = \"a b\"\nversion = -1\ncurrency = \"usd\"\neffectiveFrom = \"2026-01-01\"\nrows = 1\n\
         rounding = { mode = \"nearest\", decimals = 7, places = 2 }\n[numbers]\ndecimal = \",\"\nthousands = \",\"\n",
        b"prefix,price_per_minute\n44,1\n",
        &[
            "test.toml:5: rows: integer 1 does not fit here; write a text in quotes",
            "test.toml:7: numbers: decimals and thousands have the same sign ','; give them different signs",
            "test.toml:1: id: \"a b\" is no id; use 1 to 64 of the letters a–z, digits, '-', '_' and '.'",
            "test.toml:2: version: integer -1 does not fit here; write a whole number from 0 to 4294967295",
            "test.toml:3: currency: \"usd\" is no currency; write three capital letters, such as USD",
            "test.toml:4: effectiveFrom: \"2026-01-01\" is not an RFC 3339 time such as 2026-01-31T10:00:00Z; say from \
             when it prices calls: effectiveFrom = \"2026-01-01T00:00:00Z\"",
            "test.toml:6: mode: \"nearest\" is not known; write one of half-up, half-even, half-down, up, down",
            "test.toml:6: decimals: 7 decimals are more than an amount can keep; write 0 to 6",
            "test.toml:6: places: unknown key in rounding; known are mode, decimals",
        ],
    );
    refuses_bytes(
        "",
        GOOD.as_bytes(),
        &[
            "test.toml: rows: the key is missing; name the CSV file, such as rows = \"deck.csv\"",
            "test.toml: id: the key is missing; give it a name: id = \"…\"",
            "test.toml: version: the key is missing; number the versions of a deck: version = 1",
            "test.toml: currency: the key is missing; write its ISO 4217 code, such as currency = \"USD\"",
            "test.toml: effectiveFrom: the key is missing; say from when it prices calls: effectiveFrom = \
         \"2026-01-01T00:00:00Z\"",
        ],
    );
    let broken = compile("id = \"a\"\nversion = \n", GOOD.as_bytes()).expect_err("a fault");
    assert_eq!((broken[0].file.as_str(), broken[0].line), ("test.toml", Some(2)), "{}", joined(&broken));
    assert_eq!(rows_file_of(MANIFEST).as_deref(), Ok("test.csv"));
    assert!(rows_file_of("id = \"a\"").is_err() && rows_file_of("=").is_err());
}

fn bands(entries: &[(&str, &str, &str, &str)]) -> String {
    let mut text = "[bands]\nzone = \"UTC\"\n".to_owned();
    for (name, days, from, to) in entries {
        text += &format!("[[bands.band]]\nname = \"{name}\"\ndays = [{days}]\nfrom = \"{from}\"\nto = \"{to}\"\n");
    }
    text
}

/// boundaries.md C7: gaps and overlaps are refused.
#[test]
fn bands_neither_overlap_nor_leave_gaps() {
    refuses(
        &bands(&[("a", "\"mon\"", "08:00", "12:00"), ("b", "\"sun\", \"mon\"", "11:59", "24:00")]),
        GOOD,
        &[
            "test.toml:13: band: bands \"a\" (line 8) and \"b\" (line 13) both claim mon 11:59; let each minute of a day \
         belong to one entry",
        ],
    );
    let peak = bands(&[("peak", "\"mon\"", "08:00", "18:00")]);
    let header = "prefix,price_per_minute,band\n";
    refuses(
        &peak,
        &format!("{header}44,1,peak\n45,1,\n46,1,night\n46,2,\n"),
        &[
            "test.csv:4: band: the manifest has no band \"night\"; define it under [[bands.band]], or leave the cell empty",
        ],
    );
    refuses(
        &peak,
        &format!("{header}44,1,peak\n45,1,\n"),
        &[
            "test.csv:2: band: prefix 44 has no row for the hours outside of every band; add one, or a row without band for \
         all other hours",
        ],
    );
    let all_day = "\"mon\",\"tue\",\"wed\",\"thu\",\"fri\",\"sat\",\"sun\"";
    let whole = bands(&[("day", all_day, "06:00", "24:00"), ("night", all_day, "00:00", "06:00")]);
    refuses(
        &whole,
        &format!("{header}44,1,day\n"),
        &[
            "test.csv:2: band: prefix 44 has no row for band \"night\"; add one, or a row without band for all other hours",
        ],
    );
    assert_eq!(deck(&whole, &format!("{header}44,1,day\n44,2,night\n")).rows().len(), 2);
}

#[test]
fn bands_say_what_is_wrong_with_them() {
    refuses(
        "[bands]\nzone = \"Mars/Olympus\"\nselection = \"end\"\nholidays = [\"2026-02-30\", \"2026-12-25\"]\n\
         [[bands.band]]\nname = \"\"\ndays = [\"monday\"]\nfrom = \"22:00\"\nto = \"25:00\"\n\
         [[bands.band]]\nname = \"night\"\ndays = [\"mon\"]\nfrom = \"22:00\"\nto = \"06:00\"\n",
        GOOD,
        &[
            "test.toml:7: zone: there is no time zone \"Mars/Olympus\"; write an IANA name such as Europe/Berlin or UTC",
            "test.toml:8: selection: \"end\" is not known; write one of start, split",
            "test.toml:9: holidays: \"2026-02-30\" is no date; write year, month and day, such as \"2026-12-25\"",
            "test.toml:14: to: \"25:00\" is no time of day; write hours and minutes, from \"00:00\" to \"24:00\"",
            "test.toml:12: days: \"monday\" is not known; write one of mon, tue, wed, thu, fri, sat, sun, holiday",
            "test.toml:11: name: the name is empty; name the band, as the rows do",
            "test.toml:19: to: the band ends at or before the time it begins; write two entries for hours that cross \
             midnight, one to \"24:00\" and one from \"00:00\" of the next day",
            "test.toml:10: band: there are holidays, but no band has hours on the day \"holiday\"; say which band holds \
             on holidays: days = [\"holiday\"]",
        ],
    );
}

#[test]
fn tiers_are_whole_and_ascending() {
    let header = "prefix,price_per_minute,tier2_from_s,tier2_price_per_minute,tier3_from_s,tier3_price_per_minute\n";
    refuses(
        "",
        &format!("{header}41,1,60,,,\n42,1,,,60,1\n43,1,60,1,60,1\n44,1,0,1,,\n"),
        &[
            "test.csv:2: tier2_price_per_minute: the tier has a price and a beginning, or neither; fill both cells or none",
            "test.csv:3: tier3_from_s: tier 3 without tier 2; fill tier 2 before tier 3",
            "test.csv:4: tier3_from_s: \"60\" is no number of seconds from 61 to 4294967295; write a whole number in that \
         range",
            "test.csv:5: tier2_from_s: \"0\" is no number of seconds from 1 to 4294967295; write a whole number in that range",
        ],
    );
}

#[test]
fn suspicious_rows_are_warned_of_by_kind() {
    let rows = "prefix,destination,price_per_minute,origin_prefix\n\
                44,UK,0.01,\n441,UK,0.01,\n447,UK mobile,0.1,\n45,Denmark,0,\n46,Sweden,9,\n47, uk  Mobile,0.02,\n\
                1234567890123,Nowhere,0.01,\n48,Poland,0.01,1\n442,UK,0.01,\n";
    let warnings = compile(MANIFEST, rows.as_bytes()).expect("a deck").warnings;
    assert_eq!(
        joined(&warnings),
        "test.csv:6: price_per_minute: a price of 100 times the median 0.01 or more in 1 row (line 6); check the decimals\n\
         test.csv:3: prefix: nothing that the shorter covering prefix does not say in 2 rows (lines 3, 10); such rows may be \
         left out\n\
         test.csv:4: prefix: 10 times the price or more of the shorter covering prefix, which is another destination's, in 1 \
         row (line 4); make sure that callers expect it\n\
         test.csv:5: price_per_minute: no charge, and no block, in 1 row (line 5); check that nothing is to be charged\n\
         test.csv:8: prefix: a prefix of more than 12 digits in 1 row (line 8); check that it is not a figure of another \
         column\n\
         test.csv:7: destination: a destination that other rows write otherwise (as \"UK mobile\" and \"uk  Mobile\") in 1 row \
         (line 7); write one destination one way\n\
         test.csv:9: origin_prefix: a prefix for some callers only in 1 row (line 9); add a row without origin prefix, or \
         other calls to it go unrated"
    );
}

#[test]
fn a_file_of_rubbish_has_a_bounded_list_of_faults() {
    let rows = format!("{PRICED}{}", "x,y\n".repeat(5_000));
    let faults = compile(MANIFEST, rows.as_bytes()).expect_err("faults");
    assert_eq!(faults.len(), 1_001);
    assert_eq!(faults[1_000].to_string(), "test.csv: and 9000 more faults; mend these first");
    let long = format!("{PRICED}44,{}\n", "9".repeat(100_000));
    assert!(joined(&compile(MANIFEST, long.as_bytes()).expect_err("a fault")).len() < 300);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_compiling_panic(rows in prop::collection::vec(any::<u8>(), 0..300), manifest in ".{0,200}") {
        let _ = compile(MANIFEST, &rows);
        let _ = compile(&manifest, &rows);
        let _ = compile(&format!("{MANIFEST}{manifest}"), GOOD.as_bytes());
        let _ = rows_file_of(&manifest);
    }

    /// Cells that look like cells get further than random bytes do.
    #[test]
    fn no_cells_make_compiling_panic(
        rows in "(prefix|price_per_minute|band|tier2_from_s|[0-9.,\"\r\n+-]{1,8}|\u{0}|é){0,60}",
        keys in "(\\[bands\\]\n|zone = \"UTC\"\n|\\[\\[bands.band\\]\\]\n|name = \"a\"\n|days = \\[\"mon\"\\]\n|from = \"0[0-9]:00\"\n|to = \"1[0-9]:00\"\n|rounding = \\{|[a-z]{1,5} = [0-9]+\n){0,12}",
    ) {
        let _ = compile(&format!("{MANIFEST}{keys}"), format!("prefix,price_per_minute\n{rows}").as_bytes());
        let _ = compile(MANIFEST, rows.as_bytes());
    }
}
