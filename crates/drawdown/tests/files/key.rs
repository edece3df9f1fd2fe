//! `drawdown key`, as an operator uses it.

use crate::common::ran;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_key_is_made_listed_and_revoked_and_shown_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keys.toml");
    let file = path.display().to_string();
    let args = ["key", "new", "--name", "billing", "--scope", "read", "--scope", "money", "--org", "contoso"];
    let made = ran(&[&args[..], &["--expires", "2099-01-01", "--rate", "5", "--file", &file]].concat());
    assert!(made.status.success(), "{}", text(&made.stderr));
    let key = text(&made.stdout);
    assert_eq!(key.lines().count(), 1, "the key and nothing else: {key}");
    let [prefix, id, secret] = key.trim().splitn(3, '_').collect::<Vec<_>>()[..] else { panic!("{key}") };
    assert_eq!((prefix, secret.len()), ("dk", 43));

    let kept = std::fs::read_to_string(&path).expect("the file");
    assert!(kept.contains("hash = \"sha256:") && !kept.contains(secret), "{kept}");
    let listed = text(&ran(&["key", "list", "--file", &file]).stdout);
    for shown in [id, "billing", "read money", "contoso", "2099-01-01T00:00:00Z"] {
        assert!(listed.contains(shown), "{shown}\n{listed}");
    }
    assert!(!listed.contains(secret) && !listed.contains("sha256"), "{listed}");

    assert!(ran(&["key", "revoke", id, "--file", &file]).status.success());
    assert!(!text(&ran(&["key", "list", "--file", &file]).stdout).contains(id));
    let again = ran(&["key", "revoke", id, "--file", &file]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains(&format!("there is no key {id}")), "{}", text(&again.stderr));
}

#[test]
fn without_a_file_the_entry_is_printed_too() {
    let made = text(&ran(&["key", "new", "--name", "switch-1", "--scope", "ingest"]).stdout);
    let (key, entry) = made.split_once("\n\n").expect("the key, and then the entry");
    assert!(key.starts_with("dk_") && entry.starts_with("[[keys]]\nid = \""), "{made}");
    for wrong in [&["--name", "local", "--scope", "read"][..], &["--name", "a", "--scope", "all"], &["--name", "a"]] {
        let output = ran(&[&["key", "new"][..], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(output.stdout.is_empty(), "no key that does not count");
    }
}

/// A fault of the key file, of the certificate and of its key: all at once, before anything starts.
#[test]
fn what_guards_the_api_is_checked_before_it_starts() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keys.toml");
    std::fs::write(&path, "[[keys]]\nhash = \"dk_abc_hush\"\n").expect("a file");
    let keys = format!("http.keys_file={}", path.display());
    let set = [keys.as_str(), "http.tls_certificate=/no/cert.pem", "http.tls_key=/no/key.pem"];
    let args: Vec<&str> = set.iter().flat_map(|set| ["--set", *set]).collect();
    let output = ran(&[&["serve", "--check"][..], &args].concat());
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    for part in ["key 1: id: is missing", "key 1: hash: write sha256:", "/no/cert.pem", "/no/key.pem"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert!(!shown.contains("hush"), "{shown}");
}
