//! README's walk from an empty store to a paid call, run as it stands there: with curl, the gateway that only pretends,
//! and a real mail server.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use drawdown_testkit::mail::{self, MailServer};
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The commands between the two marks.
fn script() -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README");
    let walk = readme.split("<!-- walk -->").nth(1).and_then(|rest| rest.split("<!-- /walk -->").next());
    let walk = walk.expect("the walk stands between its marks");
    let code = walk.split("```sh\n").nth(1).and_then(|rest| rest.split("\n```").next()).expect("a block of commands");
    code.to_owned()
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn the_walk_in_readme_works() {
    if !mail::runs_here() {
        return;
    }
    let server = MailServer::start().expect("a mail server");
    let dir = TempDir::new().expect("a directory");
    std::os::unix::fs::symlink(root().join("config"), dir.path().join("config")).expect("a link");
    let (listen, gateway) = (free_port(), free_port());
    let script = script()
        .replace("9464", &listen.to_string())
        .replace("9480", &gateway.to_string())
        .replace("port = 8025", &format!("port = {}", server.smtp()));
    let script = format!("set -euo pipefail\ntrap 'kill $(jobs -p) || true' EXIT\n{script}\n");
    let binary = Path::new(env!("CARGO_BIN_EXE_drawdown"));
    let path =
        format!("{}:{}", binary.parent().expect("a directory").display(), std::env::var("PATH").expect("a PATH"));
    let mut bash = Command::new("timeout");
    bash.args(["120", "bash", "-c", &script]).current_dir(dir.path()).env("PATH", path).stdin(Stdio::null());
    bash.env("DRAWDOWN_HTTP__LISTEN", format!("127.0.0.1:{listen}"));
    let output = bash.output().expect("bash runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let log = std::fs::read_to_string(dir.path().join("walk/serve.log")).unwrap_or_default();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{text}\n{errors}\n{log}");
    for expected in [
        "\"allowed\":true",
        "\"grantedSeconds\":300",
        "\"reserved\":\"0.075\"",
        "\"recomputed\":{\"differences\":[],\"equal\":true}",
        "\"settled\":\"69.97\"",
        "United Kingdom-London",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}\n{log}");
    }
    let gateway = std::fs::read_to_string(dir.path().join("walk/sandbox.log")).expect("what the gateway said");
    assert_eq!(gateway.lines().filter(|line| line.starts_with("paid: ")).count(), 1, "{gateway}");
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        // Before its first mail there is no such box.
        let mails = server.mails("billing@contoso.example").unwrap_or_default();
        if let Some(mail) = mails.iter().find(|mail| mail.contains("recharged")) {
            assert!(mail.contains("text/plain") && mail.contains("text/html"), "{mail}");
            return;
        }
        assert!(Instant::now() < deadline, "no mail\n{log}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
