use std::time::{Duration, SystemTime};

use super::*;

fn entry(key: &NewKey) -> Entry {
    Entry {
        id: key.id().to_owned(),
        name: "billing".to_owned(),
        hash: key.hash(),
        scopes: vec![Scope::Read, Scope::Ingest],
        orgs: Some(vec!["contoso".to_owned()]),
        expires: None,
        rate: None,
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

const NOW: &str = "2026-06-01T00:00:00Z";

#[test]
fn a_key_is_recognised_and_nothing_like_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.toml");
    let key = NewKey::generate().unwrap();
    append(&path, &entry(&key)).unwrap();
    let keys = Keys::open(&path).unwrap();
    let holder = keys.find(key.expose(), at(NOW)).unwrap();
    assert_eq!(&*holder.principal.subject, "billing");
    assert!(holder.principal.may(Scope::Ingest) && !holder.principal.may(Scope::Money));
    assert!(holder.principal.sees("contoso") && !holder.principal.sees("fabrikam"));
    let other = NewKey::generate().unwrap();
    let swapped = format!("dk_{}_{}", key.id(), &other.expose()[PREFIX.len() + key.id().len() + 1..]);
    let longer = format!("{}A", key.expose());
    for wrong in [other.expose(), &swapped, &longer, "dk_", "dk__", "", "dk_a_", &key.expose()[3..]] {
        assert!(keys.find(wrong, at(NOW)).is_none(), "{wrong}");
    }
}

#[test]
fn a_key_is_long_and_never_twice_the_same() {
    let (one, other) = (NewKey::generate().unwrap(), NewKey::generate().unwrap());
    assert_ne!(one.expose(), other.expose());
    let secret = one.expose().splitn(3, '_').nth(2).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.decode(secret).unwrap().len(), 32);
}

#[test]
fn an_entry_reads_as_it_was_written() {
    let key = NewKey::generate().unwrap();
    let full = Entry {
        expires: Some(at("2027-01-01T00:00:00Z")),
        rate: Some(Rate { per_second: 5, burst: 9 }),
        ..entry(&key)
    };
    let text = format!("{}\n{}", full.toml(), Entry { id: "b".to_owned(), orgs: None, ..entry(&key) }.toml());
    let read = file::parse("keys.toml", &text).unwrap();
    assert_eq!(read[0], full);
    assert_eq!(read[1].orgs, None);
    let unquoted = text.replace("\"2027-01-01T00:00:00Z\"", "2027-01-01T00:00:00Z");
    assert_eq!(file::parse("keys.toml", &unquoted).unwrap(), read);
}

#[test]
fn a_key_that_has_expired_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.toml");
    let key = NewKey::generate().unwrap();
    append(&path, &Entry { expires: Some(at(NOW)), ..entry(&key) }).unwrap();
    let keys = Keys::open(&path).unwrap();
    assert!(keys.find(key.expose(), at("2026-05-31T23:59:59Z")).is_some());
    assert!(keys.find(key.expose(), at(NOW)).is_none());
}

#[test]
fn every_fault_of_a_file_is_found_and_no_value_shown() {
    let text = "
surprise = 1
[[keys]]
id = \"A_b\"
name = \"local\"
hash = \"dk_abc_hush\"
scopes = [\"everything\"]
orgs = \"contoso\"
expires = \"soon\"
rate_burst = 3
secret = \"hush\"
[[keys]]
";
    let faults = file::parse("keys.toml", text).unwrap_err();
    let all = faults.join("\n");
    for field in ["id", "name", "hash", "scopes", "orgs", "expires", "rate_per_second", "fields"] {
        assert!(all.contains(&format!("keys.toml: key 1: {field}: ")), "{field}\n{all}");
    }
    assert!(all.contains("more than keys") && all.contains("key 2: hash: is missing"), "{all}");
    assert!(!all.contains("hush"), "{all}");
    let faults = file::parse("keys.toml", "\n[[keys]]\nhash = dk_abc_hush\n").unwrap_err();
    assert_eq!(faults, ["keys.toml:3: not TOML; mend the syntax"]);
    assert_eq!(file::parse("keys.toml", "").unwrap(), []);
}

#[test]
fn a_change_counts_and_a_broken_file_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.toml");
    let (old, new) = (NewKey::generate().unwrap(), NewKey::generate().unwrap());
    append(&path, &entry(&old)).unwrap();
    let keys = Keys::open(&path).unwrap();
    let counts = |key: &NewKey| keys.find(key.expose(), at(NOW)).is_some();
    assert!(!keys.look(), "nothing has changed");
    append(&path, &entry(&new)).unwrap();
    assert!(keys.look() && counts(&old) && counts(&new));
    revoke(&path, old.id()).unwrap();
    assert!(keys.look() && !counts(&old) && counts(&new));
    std::fs::write(&path, "[[keys]]\nid = 3").unwrap();
    assert!(!keys.look() && counts(&new));
    std::fs::remove_file(&path).unwrap();
    assert!(!keys.look() && counts(&new));
    append(&path, &entry(&old)).unwrap();
    assert!(keys.look() && counts(&old) && !counts(&new));
}

#[test]
fn the_rest_of_a_file_stays_as_it_was() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.toml");
    let made: Vec<NewKey> = (0..3).map(|_| NewKey::generate().unwrap()).collect();
    let [one, two, three] = [0, 1, 2].map(|at| entry(&made[at]).toml());
    std::fs::write(&path, format!("# ours\n{one}\n# the second\n{two}\n# the third\n{three}")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    revoke(&path, made[1].id()).unwrap();
    let left = std::fs::read_to_string(&path).unwrap();
    assert_eq!(left, format!("# ours\n{one}\n# the second\n# the third\n{three}"));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(revoke(&path, "nobody").unwrap_err()[0].contains("there is no key nobody"));
    append(&path, &entry(&made[0])).unwrap_err();
    let fresh = dir.path().join("fresh.toml");
    append(&fresh, &entry(&made[0])).unwrap();
    assert_eq!(std::fs::metadata(&fresh).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn of_many_who_change_a_file_at_once_none_loses() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.toml");
    let made: Vec<NewKey> = (0..16).map(|_| NewKey::generate().unwrap()).collect();
    let (kept, gone) = made.split_at(8);
    for key in gone {
        append(&path, &entry(key)).unwrap();
    }
    let path = &path;
    std::thread::scope(|scope| {
        for key in kept {
            scope.spawn(move || append(path, &entry(key)).unwrap());
        }
        for key in gone {
            scope.spawn(move || revoke(path, key.id()).unwrap());
        }
    });
    let mut ids: Vec<String> = read(path).unwrap().into_iter().map(|entry| entry.id).collect();
    ids.sort_unstable();
    let mut expected: Vec<&str> = kept.iter().map(NewKey::id).collect();
    expected.sort_unstable();
    assert_eq!(ids, expected);
}

#[test]
fn nothing_shows_a_secret() {
    let key = NewKey::generate().unwrap();
    let secret = key.expose().splitn(3, '_').nth(2).unwrap();
    let digits = key.hash().to_string();
    let shown = format!("{key:?} {:?} {:?}", entry(&key), Table::new(vec![entry(&key)]));
    assert!(!shown.contains(secret) && !shown.contains(&digits[7..]), "{shown}");
}

/// A key costs so little that nothing needs to be remembered of it.
#[test]
fn a_key_is_checked_in_microseconds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.toml");
    let key = NewKey::generate().unwrap();
    append(&path, &entry(&key)).unwrap();
    let keys = Keys::open(&path).unwrap();
    let limiter = super::super::rate::Limiter::new(1_000);
    let rate = Rate { per_second: 1_000_000, burst: 1_000_000 };
    let count = 20_000;
    let (now, began) = (at(NOW), SystemTime::now());
    for _ in 0..count {
        let holder = keys.find(key.expose(), now).unwrap();
        limiter.take(&*holder.principal.subject, rate).unwrap();
    }
    let each = began.elapsed().unwrap() / count;
    eprintln!("{} ns each", each.as_nanos());
    assert!(each < Duration::from_micros(50), "{each:?}");
}
