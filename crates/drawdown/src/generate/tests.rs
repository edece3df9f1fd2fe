mod corrections;
mod licences;

use std::collections::{HashMap, HashSet};

use drawdown_rating::{Called, Deck, DeckText, Number, Product};
use drawdown_wire::command::{self, Envelope};
use drawdown_wire::native;
use drawdown_wire::source::Context;
use drawdown_wire::{Cdr, Flags};
use xxhash_rust::xxh3::xxh3_64;

use super::random::{Random, Stream};
use super::*;

fn args(seed: u64, records: u64) -> Args {
    Args {
        records,
        seed,
        out: PathBuf::new(),
        orgs: 200,
        start: Timestamp::parse("2026-03-01T00:00:00Z").expect("a time"),
        days: 31,
        duplicates: Share(0),
        late: Share(0),
        masked: Share(0),
        broken: Share(0),
        licensed: Share(0),
        corrections: 0,
        rate_plan: "standard".to_owned(),
        currency: Currency::parse("USD").expect("a currency"),
        json: false,
    }
}

fn lines(args: &Args) -> (Vec<Vec<u8>>, Counts) {
    let switch = Switch::new(args);
    let (mut counts, mut lines) = (Counts::default(), Vec::new());
    for place in 0..switch.place_count() {
        let mut written = Vec::new();
        switch.write_place(place, &mut written, &mut counts);
        assert!(written.is_empty() || written.ends_with(b"\n"));
        lines.extend(written.split_inclusive(|byte| *byte == b'\n').map(|line| line.trim_ascii_end().to_owned()));
    }
    (lines, counts)
}

/// The records of a seed with everything that may be odd about them.
fn odd(seed: u64, records: u64) -> Args {
    let share = Share(20_000);
    Args { duplicates: share, broken: share, late: share, masked: share, ..args(seed, records) }
}

fn commands(args: &Args) -> Vec<String> {
    let mut lines = Vec::new();
    let count = commands::write(&Switch::new(args), args, |line| {
        lines.push(line.to_string());
        Ok(())
    });
    assert_eq!(count.expect("nothing fails"), lines.len() as u64);
    lines
}

fn decode(line: &[u8]) -> Option<Cdr<'_>> {
    native::decode(line, &Context::default()).ok()
}

fn ends_ascend<'a>(cdrs: impl IntoIterator<Item = &'a Cdr<'a>>) -> bool {
    cdrs.into_iter().map(|cdr| cdr.end.expect("an end")).is_sorted()
}

#[test]
fn a_seed_makes_the_same_bytes_and_another_makes_others() {
    let args = Args { licensed: Share(600_000), corrections: 50, ..odd(3, 2_000) };
    assert_eq!(lines(&args), lines(&args));
    assert_eq!(commands(&args), commands(&args));
    let of_this_seed = lines(&args).0;
    let of_another = lines(&Args { seed: 4, ..args }).0;
    assert!(of_this_seed.iter().zip(&of_another).all(|(line, other)| line != other));
}

/// What the first records are must never change: measurements and bug reports name them by their seed.
#[test]
fn the_first_record_is_for_ever() {
    insta::assert_snapshot!(String::from_utf8_lossy(&lines(&args(1, 1)).0[0]), @r#"{"id":"09d1eabe-333d-e927-db78-f47ec61bfba0","callId":"c0fc655b2af1a325","orgId":"org-000051","userId":"5e79bfdb-14a8-47fd-6295-08ffabcf37fb","userPrincipalName":"noor.patel@org-000051.example","userDisplayName":"Noor Patel","startDateTime":"2026-03-13T20:17:09.4087409Z","endDateTime":"2026-03-13T20:18:46.9775843Z","duration":98,"callType":"user_out","calleeNumber":"+48225429483","callerNumber":"+14254874269","usageCountryCode":"US","tenantCountryCode":"US","destinationContext":"International","destinationName":"Poland","licenseCapability":"MCOPSTNPP"}"#);
}

/// Nor may anything else that a seed makes, with options or without.
#[test]
fn the_bytes_of_a_seed_are_for_ever() {
    let digest = |args: &Args| {
        let cdrs = lines(args).0.join(&b'\n');
        (xxh3_64(&cdrs), xxh3_64(commands(args).join("\n").as_bytes()))
    };
    let plain = odd(3, 2_000);
    assert_eq!(digest(&plain), (7_151_863_971_018_231_289, 11_021_200_339_122_866_002));
    assert_eq!(
        digest(&Args { licensed: Share(600_000), corrections: 50, ..plain }),
        (6_042_765_736_966_792_030, 12_933_487_752_974_370_551)
    );
}

#[test]
fn without_mischief_every_record_is_a_new_call_and_they_look_like_traffic() {
    for seed in 0..3 {
        let args = args(seed, 20_000);
        let (lines, counts) = lines(&args);
        assert_eq!(counts, Counts::default());
        let cdrs: Vec<Cdr<'_>> = lines.iter().map(|line| decode(line).expect("a clean row")).collect();
        assert_eq!(cdrs.iter().map(|cdr| &cdr.id).collect::<HashSet<_>>().len(), cdrs.len());
        assert!(ends_ascend(&cdrs));
        assert!(cdrs.iter().all(|cdr| !cdr.flags.has(Flags::DURATION_MISMATCH)), "duration fits the two times");
        let percent = |count: usize| count * 100 / cdrs.len();
        let giant = cdrs.iter().filter(|cdr| cdr.org == "org-000001").count();
        assert!((28..=31).contains(&percent(giant)), "{giant}");
        let answered = cdrs.iter().filter(|cdr| cdr.seconds > 0).count();
        assert!((63..=65).contains(&percent(answered)), "{answered}");
        let abroad = cdrs.iter().filter(|cdr| cdr.text.destination_context.as_deref() == Some("International")).count();
        assert!((17..=22).contains(&percent(abroad)), "{abroad}");
        let length = lines.iter().map(Vec::len).sum::<usize>() / lines.len();
        assert!((520..=600).contains(&length), "{length}");
    }
}

#[test]
fn mischief_is_counted_and_leaves_other_records_as_they_are() {
    let plain = args(5, 20_000);
    let args = Args {
        duplicates: Share(50_000),
        broken: Share(30_000),
        late: Share(40_000),
        masked: Share(20_000),
        ..args(5, 20_000)
    };
    let (lines, counts) = lines(&args);
    for (count, share) in [
        (counts.duplicates, args.duplicates),
        (counts.broken, args.broken),
        (counts.late, args.late),
        (counts.masked, args.masked),
    ] {
        let expected = u64::from(share.0) * args.records / 1_000_000;
        assert!((expected * 7 / 10..expected * 11 / 10).contains(&count), "{count} of {expected}");
    }
    let cdrs: Vec<Cdr<'_>> = lines.iter().filter_map(|line| decode(line)).collect();
    assert_eq!(lines.len() - cdrs.len(), counts.broken as usize, "every broken record is rejected, and no other");
    let mut by_id: HashMap<&str, &Cdr<'_>> = HashMap::new();
    for cdr in &cdrs {
        by_id.entry(&cdr.id).or_insert(cdr);
    }
    assert_eq!(cdrs.len() - by_id.len(), counts.duplicates as usize, "a duplicate comes after what it repeats");
    let masked = by_id.values().filter(|cdr| cdr.flags.has(Flags::MASKED)).count();
    assert_eq!(masked, counts.masked as usize);
    let distinct: HashSet<&Vec<u8>> = lines.iter().collect();
    let repeated = lines.len() - distinct.len();
    assert_eq!(repeated, counts.duplicates as usize, "duplicates are exact");
    let plain = self::lines(&plain).0;
    let changed = lines.iter().zip(&plain).filter(|(line, plain)| line != plain).count() as u64;
    assert!(changed <= counts.duplicates + counts.broken + counts.late + counts.masked, "{changed}");
    assert!(!ends_ascend(&cdrs));
}

#[test]
fn every_kind_of_damage_is_a_rejection() {
    let args = args(9, 300);
    let switch = Switch::new(&args);
    for number in 0..args.records {
        let call = record::Call { kind: &record::KINDS[0], ..switch.call(number) };
        for damage in record::Damage::ALL {
            let mut line = Vec::new();
            row::write_broken(&switch, &call, damage, &mut line);
            assert!(decode(line.trim_ascii_end()).is_none(), "{damage:?}");
        }
    }
}

#[test]
fn the_bundled_deck_prices_every_destination_as_assumed() {
    let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/decks"));
    let read = |name: &str| std::fs::read(dir.join(name)).expect("the bundled deck");
    let manifest = String::from_utf8(read("acs-pstn.toml")).expect("text");
    let rows = read("acs-pstn.csv");
    let text = DeckText { manifest_name: "acs-pstn.toml", manifest: &manifest, rows_name: "acs-pstn.csv", rows: &rows };
    let deck = Deck::compile(text).expect("a sound deck").deck;
    for destination in &destinations::DESTINATIONS {
        let find = |digits: u64| {
            let number = Number::from_digits(digits.to_string().as_bytes()).expect("a number");
            deck.look_up(Product::Outbound, Called { number, masked: false }).expect("a row")
        };
        let row = find(destination.numbers.prefix).row(None, deck.effective_from()).expect("a row");
        assert_eq!(row.price.nanos() as u64, destination.price_micros * 1_000, "{destination:?}");
        let mut random = Random::new(1, Stream::Call, 1);
        for _ in 0..100 {
            find(destination.numbers.pick(&mut random));
        }
    }
}

#[test]
fn commands_are_in_order_and_complete() {
    for days in [1, 31, 100] {
        let args = Args { days, ..args(2, 50_000) };
        let lines = commands(&args);
        let envelopes: Vec<Envelope> = lines
            .iter()
            .map(|line| command::decode(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}")))
            .collect();
        assert!(envelopes.iter().map(|envelope| envelope.at).is_sorted(), "{days} days");
        let ids: HashSet<&str> = envelopes.iter().map(|envelope| &*envelope.command_id).collect();
        assert_eq!(ids.len(), envelopes.len());
        // Opened, three lots; of every third that is prepaid, configured, settled and switched off.
        let recharging = (0..200).filter(|index| index % 3 == 0 && index % 10 != 9).count();
        let switched_off = if days >= 31 { recharging } else { 0 };
        assert_eq!(envelopes.len(), 4 * 200 + 2 * recharging + switched_off, "{days} days");
    }
}

#[test]
fn shares_are_exact() {
    for (text, share) in
        [("0", Some(0)), ("1%", Some(10_000)), ("0.5", Some(5_000)), ("0.0001%", Some(1)), ("100%", Some(1_000_000))]
    {
        assert_eq!(parse_share(text).ok(), share.map(Share), "{text}");
    }
    for text in ["", "%", "-1%", "100.1%", "0.00001%", "1e-3", "NaN", "0,5%"] {
        assert!(parse_share(text).is_err(), "{text}");
    }
}
