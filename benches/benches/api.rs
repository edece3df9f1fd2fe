//! The API of a running process under load: authorisations at a fixed pace, alone and while the pipeline rates a backlog, and
//! usage records handed in. From outside, over connections that are kept open, as switches do.
//!
//! Latency is from when a request was due, not from when it could be sent: a server that stands still for a while answers late
//! to all that came meanwhile.
//!
//! `cargo build --release -p drawdown && cargo bench -p drawdown-benches --bench api`

#![allow(clippy::print_stdout, reason = "what it measured is what it is for")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How many organisations call.
const ORGS: usize = 1_000;
/// Authorisations a second, over all connections.
const PACE: u64 = 10_000;
const CONNECTIONS: u64 = 8;
const SPAN: Duration = Duration::from_secs(10);
/// Records of the backlog that is rated meanwhile.
const BACKLOG: usize = 2_000_000;
/// Records in one request, and requests.
const BATCH: usize = 1_000;
const BATCHES: usize = 200;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn drawdown() -> Outcome<Command> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let binary = target.join("release/drawdown");
    if !binary.exists() {
        return Err(format!("{}: build it first: cargo build --release -p drawdown", binary.display()).into());
    }
    Ok(Command::new(binary))
}

fn run(command: &mut Command) -> Outcome<()> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// One connection that is kept open.
struct Connection {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Connection { reader: BufReader::new(stream.try_clone()?), stream, body: Vec::new() })
    }

    /// Sends a request; its answer's status.
    fn send(&mut self, method: &str, path: &str, media: &str, body: &str) -> Outcome<u16> {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes())?;
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        let status = line.split(' ').nth(1).ok_or("no status")?.parse()?;
        let mut length = 0;
        loop {
            line.clear();
            self.reader.read_line(&mut line)?;
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        self.body.resize(length, 0);
        self.reader.read_exact(&mut self.body)?;
        Ok(status)
    }
}

/// Latencies of authorisations at the pace, sorted.
fn authorise(address: &str, round: u64) -> Outcome<Vec<Duration>> {
    let begin = Instant::now() + Duration::from_millis(100);
    let threads = (0..CONNECTIONS).map(|number| {
        let address = address.to_owned();
        std::thread::spawn(move || -> Outcome<Vec<Duration>> {
            let mut connection = Connection::open(&address)?;
            let (mut latencies, mut body) = (Vec::new(), String::new());
            let count = PACE * SPAN.as_secs() / CONNECTIONS;
            for index in 0..count {
                let sequence = index * CONNECTIONS + number;
                let due = begin + Duration::from_nanos(1_000_000_000 / PACE) * u32::try_from(sequence)?;
                if let Some(early) = due.checked_duration_since(Instant::now()) {
                    std::thread::sleep(early);
                }
                body.clear();
                let org = sequence as usize % ORGS;
                write!(
                    body,
                    "{{\"orgId\":\"org-{org}\",\"callId\":\"{round}-{sequence}\",\"userId\":\"u\",\"calleeNumber\":\"+442071838750\"}}"
                )?;
                let status = connection.send("POST", "/v1/authorisations", "application/json", &body)?;
                if status != 200 || !connection.body.windows(14).any(|part| part == b"\"allowed\":true") {
                    return Err(format!("{status}: {}", String::from_utf8_lossy(&connection.body)).into());
                }
                latencies.push(due.elapsed());
            }
            Ok(latencies)
        })
    });
    let mut all = Vec::new();
    for thread in threads.collect::<Vec<_>>() {
        all.extend(thread.join().map_err(|_| "a connection failed")??);
    }
    all.sort();
    Ok(all)
}

fn show(what: &str, latencies: &[Duration]) {
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let rate = latencies.len() as f64 / SPAN.as_secs_f64();
    println!(
        "{what}: {rate:.0}/s, p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, most {:.1} ms",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}

/// Records a second that are handed in, and answered for.
fn ingest(address: &str, now: &str) -> Outcome<f64> {
    let began = Instant::now();
    let threads = (0..CONNECTIONS as usize).map(|number| {
        let (address, now) = (address.to_owned(), now.to_owned());
        std::thread::spawn(move || -> Outcome<()> {
            let mut connection = Connection::open(&address)?;
            for batch in (number..BATCHES).step_by(CONNECTIONS as usize) {
                let mut body = String::new();
                for index in 0..BATCH {
                    let (id, org) = (batch * BATCH + index, index % ORGS);
                    writeln!(
                        body,
                        "{{\"id\":\"ingest-{id}\",\"source\":\"s\",\"orgId\":\"org-{org}\",\"userId\":\"u\",\"callType\":\"user_out\",\
                         \"calleeNumber\":\"+442071838750\",\"startDateTime\":\"{now}\",\"duration\":60}}"
                    )?;
                }
                let status = connection.send("POST", "/v1/cdrs", "application/x-ndjson", &body)?;
                if status != 202 {
                    return Err(format!("{status}: {}", String::from_utf8_lossy(&connection.body)).into());
                }
            }
            Ok(())
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().map_err(|_| "a connection failed")??;
    }
    Ok((BATCH * BATCHES) as f64 / began.elapsed().as_secs_f64())
}

/// One call of each of many, as lines of a file.
fn backlog(path: &Path, now: &str) -> Outcome<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for index in 0..BACKLOG {
        let org = index % ORGS;
        writeln!(
            file,
            "{{\"id\":\"b-{index}\",\"source\":\"b\",\"orgId\":\"org-{org}\",\"userId\":\"u\",\"callType\":\"user_out\",\
             \"calleeNumber\":\"+442071838750\",\"startDateTime\":\"{now}\",\"duration\":60}}"
        )?;
    }
    Ok(file.flush()?)
}

fn accounts(path: &Path, now: &str) -> Outcome<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for org in 0..ORGS {
        let head =
            |id: &str| format!("{{\"commandId\":\"{id}-{org}\",\"orgId\":\"org-{org}\",\"at\":\"{now}\",\"type\"");
        writeln!(
            file,
            "{}:\"openAccount\",\"currency\":\"USD\",\"ratePlan\":\"standard\",\"country\":\"US\",\"licensing\":\"none\"}}",
            head("open")
        )?;
        let funds = head("funds");
        writeln!(file, "{funds}:\"addFunds\",\"lotId\":\"L\",\"amount\":\"1000000\",\"purchasedAt\":\"{now}\"}}")?;
    }
    Ok(file.flush()?)
}

fn main() -> Outcome<()> {
    let dir = tempfile::TempDir::new()?;
    let (store, deck) = (dir.path().join("store"), root().join("config/decks/acs-pstn.toml").canonicalize()?);
    let config = dir.path().join("drawdown.toml");
    // Every connection comes from one address and one subject here: the rate is what the server can do.
    let text = format!(
        "[embedded]\ndirectory = {store:?}\n[rating]\ndecks = [{deck:?}]\n[http]\nlisten = \"127.0.0.1:0\"\n\
         rate_per_second = 1000000\nrate_burst = 1000000\n[authorisation]\nslice_s = 60\n"
    );
    std::fs::write(&config, text)?;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let now = drawdown_units::Timestamp::from_parts(i64::try_from(since.as_secs())? - 60, 0).to_string();
    let (commands, calls) = (dir.path().join("commands.jsonl"), dir.path().join("calls.jsonl"));
    accounts(&commands, &now)?;
    backlog(&calls, &now)?;
    let log = std::fs::File::create(dir.path().join("serve.log"))?;
    let serve = drawdown()?.args(["serve", "--config"]).arg(&config).stdout(Stdio::null()).stderr(log).spawn()?;
    let _serve = Process(serve);
    let address = loop {
        let text = std::fs::read_to_string(dir.path().join("serve.log"))?;
        if let Some(found) = text.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next()) {
            break found.to_owned();
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    run(drawdown()?.args(["import", "--config"]).arg(&config).arg("--commands").arg(&commands))?;
    let mut connection = Connection::open(&address)?;
    while connection.send("GET", &format!("/v1/accounts/org-{}/lots", ORGS - 1), "application/json", "")? != 200 {
        std::thread::sleep(Duration::from_millis(50));
    }
    authorise(&address, 0)?;
    show("authorisations, the pipeline at rest", &authorise(&address, 1)?);
    run(drawdown()?.args(["import", "--config"]).arg(&config).arg(&calls))?;
    show("authorisations, the pipeline rating a backlog", &authorise(&address, 2)?);
    let left = std::fs::read_dir(store.join("spool/cdrs"))?.count();
    println!("  (the backlog was {} when that ended)", if left > 0 { "not yet rated" } else { "rated already" });
    while std::fs::read_dir(store.join("spool/cdrs"))?.count() > 0 {
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("usage records handed in, {BATCH} a request: {:.0}/s", ingest(&address, &now)?);
    Ok(())
}
