//! A server with keys, and commands that ask it. Whatever a command prints is looked through for a key.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::process::{Process, drawdown, run};

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    #[track_caller]
    pub fn expect(&self, code: i32) {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
    }
}

pub struct Desk {
    dir: TempDir,
    /// May do everything that is tried here.
    pub key: String,
    /// None of these may be seen.
    secrets: Vec<String>,
    url: String,
    pub api: Client,
    process: RefCell<Option<Process>>,
}

impl Desk {
    pub fn start() -> Self {
        Desk::start_as("", |client| client)
    }

    /// A server that is known by a certificate of its own.
    pub fn start_with_tls() -> Self {
        let files = "tls_certificate = \"{dir}/cert.pem\"\ntls_key = \"{dir}/cert-key.pem\"\n";
        Desk::start_as(files, |client| Client::new(&client.base.replace("http://127.0.0.1", "https://localhost")))
    }

    fn start_as(http: &str, reached: impl Fn(Client) -> Client) -> Self {
        let dir = TempDir::new().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        let make = |name: &str, scopes: &[&str]| {
            let scopes = scopes.iter().flat_map(|scope| ["--scope", *scope]);
            let made = run(drawdown().args(["key", "new", "--name", name, "--file"]).arg(at("keys.toml")).args(scopes));
            std::fs::write(at(name), &made).expect("a file");
            made.trim().to_owned()
        };
        let key = make("key", &["read", "operate", "money", "ingest"]);
        let reader = make("reader", &["read"]);
        let wrong = key.replace("dk_", "dk_x");
        std::fs::write(at("wrong"), &wrong).expect("a file");
        std::fs::write(at("empty"), "\n").expect("a file");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        std::fs::write(at("cert.pem"), made.cert.pem()).expect("a file");
        std::fs::write(at("cert-key.pem"), made.signing_key.serialize_pem()).expect("a file");
        let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/decks/acs-pstn.toml");
        let (store, keys) = (at("store"), at("keys.toml"));
        let http = http.replace("{dir}", &dir.path().display().to_string());
        let config = format!(
            "[log]\nkind = \"embedded\"\n[embedded]\ndirectory = {store:?}\n[rating]\ndecks = [{deck:?}]\n\
             [http]\nlisten = \"127.0.0.1:0\"\nkeys_file = {keys:?}\n{http}"
        );
        std::fs::write(at("drawdown.toml"), config).expect("a file");
        let process = Process::start(&at("drawdown.toml"), &at("serve.log"));
        let mut api = match http.is_empty() {
            true => Client::of_log(&at("serve.log")),
            false => reached(Client::listening(&at("serve.log"))),
        };
        api.key = Some(key.clone());
        let secrets = [&key, &reader, &wrong].map(|key| key.splitn(3, '_').nth(2).expect("a secret").to_owned()).into();
        Desk { dir, key, secrets, url: api.base.clone(), api, process: RefCell::new(Some(process)) }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn stop(&self) {
        if let Some(process) = self.process.borrow_mut().take() {
            process.stop();
        }
    }

    /// Stops, and sees that no key is in the log.
    pub fn end(self) {
        self.stop();
        self.check(&std::fs::read_to_string(self.path("serve.log")).expect("a log"));
    }

    fn check(&self, text: &str) {
        assert!(!self.secrets.iter().any(|secret| text.contains(secret)), "a key is shown: {text}");
    }

    /// A command, its words divided by spaces, `{dir}` for the directory; with the key that may do everything.
    pub fn command(&self, line: &str) -> Command {
        let line = line.replace("{dir}", &self.dir.path().display().to_string());
        let mut command = drawdown();
        command.args(line.split(' ')).env("DRAWDOWN_URL", &self.url).env("DRAWDOWN_API_KEY", &self.key);
        command.current_dir(self.dir.path().join("store"));
        command
    }

    pub fn run(&self, command: &mut Command) -> Ran {
        let output = command.output().expect("the program starts");
        let [stdout, stderr] = [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
        self.check(&stdout);
        self.check(&stderr);
        Ran { code: output.status.code().expect("it ended by itself"), stdout, stderr }
    }

    pub fn ask(&self, line: &str) -> Ran {
        self.run(&mut self.command(line))
    }

    #[track_caller]
    pub fn json(&self, line: &str) -> Value {
        let ran = self.ask(line);
        ran.expect(0);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
    }

    pub fn transcript(&self) -> Transcript<'_> {
        Transcript { desk: self, text: String::new() }
    }

    /// A finished call of a minute and a half.
    pub fn call(&self, org: &str, id: &str, callee: &str) -> Value {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let start = drawdown_units::Timestamp::from_parts(now.as_secs().cast_signed() - 120, 0).to_string();
        json!({"id": id, "source": "switch-1", "orgId": org, "userId": "u1", "callType": "user_out",
            "calleeNumber": callee, "callerNumber": "+12065550100", "startDateTime": start, "duration": 90})
    }

    pub fn write_deck(&self, name: &str, version: u32, price: &str) {
        let rows = format!("{name}.csv");
        std::fs::write(self.path(&rows), format!("prefix,price_per_minute,destination\n44,{price},Britain\n"))
            .expect("a file");
        let manifest = format!(
            "id = \"acs-pstn\"\nversion = {version}\ncurrency = \"USD\"\neffectiveFrom = \"2026-01-01T00:00:00Z\"\n\
             rounding = {{ mode = \"half-up\", decimals = 6 }}\nrows = \"{rows}\"\n\
             [defaults]\nproduct = \"outbound\"\ninitial_s = 60\nincrement_s = 60\n"
        );
        std::fs::write(self.path(name), manifest).expect("a file");
    }
}

/// Commands and what they printed, for comparison: times and names of directories are taken out.
pub struct Transcript<'d> {
    desk: &'d Desk,
    text: String,
}

impl Transcript<'_> {
    pub fn say(&mut self, line: &str) {
        let Ran { code, stdout, stderr } = self.desk.ask(line);
        let end = if code == 0 { String::new() } else { format!("(exit code {code})\n") };
        let shown =
            redacted(&format!("{stdout}{stderr}")).replace(&self.desk.dir.path().display().to_string(), "{dir}");
        writeln!(self.text, "$ drawdown {line}\n{shown}{end}").expect("a String takes everything");
    }

    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}

/// Times replaced by one of the same length, their fractions taken out; ids that are made up replaced too.
pub fn redacted(text: &str) -> String {
    const TIME: &str = "dddd-dd-ddTdd:dd:dd";
    const ID: &str = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    let fits = |rest: &str, form: &str| {
        let bytes = rest.as_bytes();
        bytes.len() >= form.len()
            && bytes.iter().zip(form.bytes()).all(|(byte, form)| match form {
                b'd' => byte.is_ascii_digit(),
                b'h' => byte.is_ascii_hexdigit(),
                form => *byte == form,
            })
    };
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(next) = rest.chars().next() {
        if fits(rest, TIME) {
            rest = &rest[TIME.len()..];
            if let Some(fraction) = rest.strip_prefix('.') {
                rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            }
            shown.push_str("YYYY-MM-DDThh:mm:ss");
        } else if fits(rest, ID) {
            rest = &rest[ID.len()..];
            shown.push_str("iiiiiiii-iiii-iiii-iiii-iiiiiiiiiiii");
        } else {
            rest = &rest[next.len_utf8()..];
            shown.push(next);
        }
    }
    shown
}
