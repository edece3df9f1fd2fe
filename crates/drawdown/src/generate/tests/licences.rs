use super::*;

fn licensed(args: Args) -> Args {
    Args { licensed: Share(600_000), ..args }
}

#[test]
fn exactly_so_many_organisations_are_licensed() {
    for count in [1_u64, 2, 3, 7, 50, 100, 199, 1_000] {
        for (share, expected) in [
            (0, 0),
            (1, 1),
            (10_000, count.div_ceil(100)),
            (600_000, (3 * count).div_ceil(5)),
            (333_333, (333_333 * count).div_ceil(1_000_000)),
            (1_000_000, count),
        ] {
            let args = Args { orgs: count as u32, licensed: Share(share), ..args(1, 1_000) };
            let organisations = Switch::new(&args).organisations;
            let licensed: Vec<bool> = (0..count).map(|index| organisations.get(index).is_licensed).collect();
            let licensed_count = licensed.iter().filter(|is_licensed| **is_licensed).count() as u64;
            assert_eq!((licensed_count, organisations.licensed_count()), (expected, expected), "{share} of {count}");
            assert_eq!(licensed[0], share > 0, "the giant is among them");
        }
    }
}

/// What else depends on the index of an organisation, such as its mode, must be found on both sides.
#[test]
fn licensed_organisations_are_spread_over_all_others() {
    let organisations = Switch::new(&licensed(args(1, 1_000))).organisations;
    for divisor in [3, 5, 7, 10] {
        for rest in 0..divisor {
            let of: Vec<bool> = (0..200)
                .filter(|index| index % divisor == rest)
                .map(|index| organisations.get(index).is_licensed)
                .collect();
            assert!(of.contains(&true) && of.contains(&false), "{rest} of {divisor}");
        }
    }
}

#[test]
fn calls_of_other_organisations_stay_as_they_are() {
    let plain = odd(5, 20_000);
    let (before, after) = (lines(&plain).0, lines(&licensed(plain)).0);
    assert_eq!(before.len(), after.len());
    let switch = Switch::new(&licensed(odd(5, 20_000)));
    let mut kinds: HashMap<String, usize> = HashMap::new();
    for (before, after) in before.iter().zip(&after) {
        let Some(cdr) = decode(after) else { continue };
        let number: u64 = cdr.org.trim_start_matches("org-").parse().expect("a number");
        if switch.organisations.get(number - 1).is_licensed {
            *kinds.entry(cdr.text.call_type.to_string()).or_default() += 1;
            let context = cdr.text.destination_context.as_deref();
            let costs = cdr.text.call_type.ends_with("_out") && !cdr.text.call_type.starts_with("dr_");
            assert!(!costs || matches!(context, Some("Domestic" | "International")), "{cdr:?}");
        } else {
            assert_eq!(before, after);
        }
    }
    for kind in ["user_out", "conf_out", "conf_in", "ucap_out"] {
        assert!(kinds.get(kind).is_some_and(|count| *count > 100), "{kind}: {kinds:?}");
    }
}

/// Nobody loses what they do not have, and those who have licences are those who call.
#[test]
fn licences_are_those_of_callers() {
    for days in [1, 31, 100] {
        let args = Args { days, ..licensed(args(2, 50_000)) };
        let commands: Vec<serde_json::Value> =
            commands(&args).iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let text = |command: &serde_json::Value, name: &str| command[name].as_str().unwrap_or_default().to_owned();
        assert!(commands.iter().map(|command| text(command, "at")).is_sorted());
        let required = commands.iter().filter(|command| command["licensing"] == "required").count();
        assert_eq!(required, 120);
        let (mut held, mut people) = (HashSet::new(), HashSet::new());
        let (mut removed, mut given_back) = (0, 0);
        for command in &commands {
            let holding = (text(command, "userId"), text(command, "licence"));
            let type_name = text(command, "type");
            if type_name == "assignLicence" {
                people.insert(holding.0.clone());
                given_back += usize::from(removed > 0);
                assert!(held.insert(holding), "given twice: {command}");
            } else if type_name == "removeLicence" {
                removed += 1;
                assert!(held.remove(&holding), "not held: {command}");
            }
        }
        assert!(removed >= 100 && given_back * 2 > removed && given_back < removed, "{given_back} of {removed}");
        let lines = lines(&args).0;
        let callers: HashSet<String> =
            lines.iter().filter_map(|line| decode(line)?.text.user_id.map(|user| user.to_string())).collect();
        let calling = people.intersection(&callers).count();
        assert!(calling * 100 > people.len() * 90, "{calling} of {}", people.len());
        let licences: HashSet<&str> = held.iter().map(|(_, licence)| licence.as_str()).collect();
        assert_eq!(licences.len(), 8, "{licences:?}");
        let may_draw: HashSet<&String> =
            held.iter().filter(|(_, licence)| licence == "MCOPSTNPP").map(|(user, _)| user).collect();
        assert!(may_draw.len() * 2 > people.len() && may_draw.len() < people.len());
    }
}
