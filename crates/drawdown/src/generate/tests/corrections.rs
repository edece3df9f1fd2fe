use super::*;

fn corrected(args: Args) -> Args {
    Args { corrections: 100, ..args }
}

/// Whether the record says that it corrects another.
fn is_correction(line: &[u8]) -> bool {
    decode(line).is_some_and(|cdr| cdr.received.is_some())
}

#[test]
fn corrections_come_on_top_of_the_same_records() {
    let plain = Args { duplicates: Share(0), ..odd(5, 20_000) };
    let (lines, counts) = lines(&corrected(plain));
    let without: Vec<Vec<u8>> = lines.iter().filter(|line| !is_correction(line)).cloned().collect();
    assert_eq!(without, self::lines(&Args { duplicates: Share(0), ..odd(5, 20_000) }).0);
    let Corrected { revisions, voids, repeated } = counts.corrections;
    assert_eq!((lines.len() - without.len()) as u64, revisions + voids + repeated);
}

/// What is known of a record: its organisation, its revision, whether it was withdrawn, and its latest line's content.
#[derive(Debug, PartialEq)]
struct Latest {
    org: String,
    revision: u32,
    is_void: bool,
    content: (u32, String),
}

#[test]
fn each_correction_follows_from_the_one_before() {
    for (records, days) in [(20_000, 31), (20_000, 1), (300, 31), (40, 400)] {
        let args = Args { days, ..corrected(odd(8, records)) };
        let (lines, counts) = lines(&args);
        let mut known: HashMap<String, Latest> = HashMap::new();
        let mut found = Corrected::default();
        let (mut received_before, mut soonest_s, mut latest_s) = (Timestamp::MIN, i64::MAX, 0);
        for line in &lines {
            let Some(cdr) = decode(line) else { continue };
            let content = (cdr.seconds, cdr.text.callee_number.as_deref().unwrap_or_default().to_owned());
            let now = Latest { org: cdr.org.to_string(), revision: cdr.revision, is_void: cdr.void, content };
            let Some(received) = cdr.received else {
                known.entry(cdr.id.to_string()).or_insert(now);
                continue;
            };
            assert!(received >= received_before && !cdr.flags.has(Flags::DURATION_MISMATCH));
            received_before = received;
            let after_s = received.seconds() - cdr.start.seconds();
            (soonest_s, latest_s) = (soonest_s.min(after_s), latest_s.max(after_s));
            let before = known.get_mut(&*cdr.id).expect("the record came before");
            assert_eq!(now.org, before.org);
            if now == *before {
                found.repeated += 1;
            } else if now.is_void {
                assert!(!before.is_void && now.revision - before.revision <= 1 && now.content == before.content);
                found.voids += 1;
            } else {
                assert!(!before.is_void && now.revision == before.revision + 1 && now.content != before.content);
                found.revisions += 1;
            }
            *before = now;
        }
        assert_eq!(found, counts.corrections, "{records} in {days} days");
        assert!(latest_s < 6 * 86_400 + 1 && soonest_s >= 0, "{soonest_s} s to {latest_s} s");
        if records == 20_000 {
            let whole = records - counts.duplicates - counts.broken - counts.late;
            let corrected = whole / 10;
            let booked = found.revisions + found.voids;
            assert!((corrected..corrected * 3 / 2).contains(&booked), "{booked} of {corrected}");
            assert!(found.voids * 5 > found.revisions && found.repeated * 20 > found.revisions, "{found:?}");
        }
        if (records, days) == (20_000, 31) {
            assert!(soonest_s < 3_600 && latest_s > 3 * 86_400, "{soonest_s} s to {latest_s} s");
        }
    }
}

/// A call that was withdrawn without a higher revision would be quarantined if it came again.
#[test]
fn what_was_withdrawn_as_it_was_does_not_come_again() {
    let args = Args { duplicates: Share(300_000), corrections: 1_000, ..args(4, 5_000) };
    let mut withdrawn: HashSet<String> = HashSet::new();
    for line in &lines(&args).0 {
        let cdr = decode(line).expect("a whole record");
        if cdr.revision == 0 && cdr.void {
            withdrawn.insert(cdr.id.to_string());
        } else {
            assert!(cdr.revision > 0 || !withdrawn.contains(&*cdr.id));
        }
    }
    assert!(withdrawn.len() > 100);
}
