//! Real mail servers for tests: GreenMail, with SMTP, SMTP within TLS and POP3, and aiosmtpd with STARTTLS; without
//! containers, on 127.0.0.1 only and on ports chosen free.
//!
//! Invariants: their processes die with the process that started them, even if that is killed; two runs never meet. What
//! they are made of is fetched once, under the target directory. What they held is gone when they are stopped.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::kafka::config::free_port;
use crate::kafka::guarded::Guarded;
use crate::kafka::keys::{self, Keys, STORE_PASSWORD};
use crate::kafka::{jars, node, runs};
use crate::python::SMTP;

/// The user that the server knows.
pub const USER: &str = "drawdown";

/// Its password.
pub const PASSWORD: &str = "correct-horse";

/// How long a JVM may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Whether tests on a real mail server run here. Where they do not, it says so on stderr; under `CI=true` that is a
/// failure.
pub fn runs_here() -> bool {
    runs("mail server", available())
}

/// Whether a mail server can be started here; else why not.
///
/// # Errors
/// What is missing, in words.
pub fn available() -> Result<(), String> {
    node::java()?;
    if libs().is_dir() || jars::on_path("mvn") {
        return Ok(());
    }
    Err("mvn (Maven) is not on the PATH, and the mail server was not fetched before".to_owned())
}

fn libs() -> PathBuf {
    jars::target().join("mail/libs")
}

/// A mail server, running or not.
#[derive(Debug)]
pub struct MailServer {
    command: Vec<OsString>,
    process: Option<Guarded>,
    smtp: u16,
    smtps: u16,
    pop3: u16,
    authority: PathBuf,
    /// Goes last: the server logs there.
    directory: TempDir,
}

impl MailServer {
    /// A server that takes connections.
    ///
    /// # Errors
    /// Why it does not start.
    pub fn start() -> Result<Self, String> {
        let mut server = MailServer::prepare()?;
        server.launch()?;
        Ok(server)
    }

    /// A server that was not started yet, so nobody listens on its ports.
    ///
    /// # Errors
    /// Why it could not be started.
    pub fn prepare() -> Result<Self, String> {
        jars::fetch_into(&libs(), &jars::root().join("deploy/mail"), &[])?;
        let keys = keys::make_of_server()?;
        let directory = tempfile::tempdir().map_err(|error| format!("cannot make a directory: {error}"))?;
        let (smtp, smtps, pop3) = (free_port()?, free_port()?, free_port()?);
        let command = command(&keys, [("smtp", smtp), ("smtps", smtps), ("pop3", pop3)])?;
        Ok(MailServer { command, process: None, smtp, smtps, pop3, authority: keys.authority, directory })
    }

    /// Starts it, on the ports that it has, and waits until it takes connections.
    ///
    /// # Errors
    /// Why it does not start.
    pub fn launch(&mut self) -> Result<(), String> {
        let log = self.directory.path().join("log");
        let file = File::options().create(true).append(true).open(&log);
        let file = file.map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        self.process = Some(run(&self.command, (&log, &file), || self.is_ready())?);
        Ok(())
    }

    fn is_ready(&self) -> bool {
        [self.smtp, self.pop3].into_iter().all(|port| Pop3::connect(port).is_ok())
            && TcpStream::connect(("127.0.0.1", self.smtps)).is_ok()
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// The port of SMTP, without encryption.
    pub fn smtp(&self) -> u16 {
        self.smtp
    }

    /// The port of SMTP within TLS.
    pub fn smtps(&self) -> u16 {
        self.smtps
    }

    /// The file (PEM) of the authority that signed its certificate, which is for `localhost` and 127.0.0.1.
    pub fn authority(&self) -> &PathBuf {
        &self.authority
    }

    /// The mails that an address got, as they arrived, lines ending in `\n`.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn mails(&self, address: &str) -> Result<Vec<String>, String> {
        let read = || -> std::io::Result<Vec<String>> {
            let (mut pop3, _) = Pop3::connect(self.pop3)?;
            // Whoever first got a mail got an account with it, of which the password is the address.
            pop3.ask(&format!("USER {address}"))?;
            pop3.ask(&format!("PASS {address}"))?;
            let state = pop3.ask("STAT")?;
            let count: usize = state.split(' ').nth(1).and_then(|count| count.parse().ok()).unwrap_or_default();
            (1..=count).map(|number| pop3.retrieve(number)).collect()
        };
        read().map_err(|error| format!("cannot read the mails of {address}: {error}"))
    }
}

/// Starts a server that writes to a log, and waits until it is ready.
fn run(command: &[OsString], (log, file): (&Path, &File), is_ready: impl Fn() -> bool) -> Result<Guarded, String> {
    let mut process = Guarded::start(command, file).map_err(|error| format!("sh does not start: {error}"))?;
    let deadline = Instant::now() + PATIENCE;
    while !is_ready() {
        if process.has_ended() || Instant::now() > deadline {
            return Err(format!("the mail server does not start: {}", fs::read_to_string(log).unwrap_or_default()));
        }
        thread::sleep(Duration::from_millis(25));
    }
    Ok(process)
}

/// A mail server that takes nothing before STARTTLS: aiosmtpd. It keeps mails as files.
#[derive(Debug)]
pub struct StartTlsServer {
    port: u16,
    _process: Guarded,
    directory: TempDir,
}

impl StartTlsServer {
    /// Whether it runs here. Where it does not, it says so on stderr; under `CI=true` that is a failure.
    pub fn runs_here() -> bool {
        SMTP.runs_here()
    }

    /// A server that takes connections, with a certificate and its key, both PEM.
    ///
    /// # Errors
    /// Why it does not start.
    pub fn start(certificate: &str, key: &str) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| format!("cannot make a directory: {error}"))?;
        let place = |name: &str| directory.path().join(name);
        for (name, text) in [("certificate.pem", certificate), ("key.pem", key)] {
            fs::write(place(name), text).map_err(|error| format!("cannot write {name}: {error}"))?;
        }
        let port = free_port()?;
        let mut command = vec![SMTP.path("python").into_os_string()];
        command.extend(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")].map(OsString::from));
        command.extend(["--tlscert".into(), place("certificate.pem").into_os_string()]);
        command.extend(["--tlskey".into(), place("key.pem").into_os_string()]);
        command.extend(["-c".into(), "aiosmtpd.handlers.Mailbox".into(), place("mails").into_os_string()]);
        let log = File::create(place("log")).map_err(|error| format!("cannot write a log: {error}"))?;
        let process = run(&command, (&place("log"), &log), || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(StartTlsServer { port, _process: process, directory })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The mails that it got, in no order.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn mails(&self) -> Result<Vec<String>, String> {
        let read = || -> std::io::Result<Vec<String>> {
            let kept = fs::read_dir(self.directory.path().join("mails/new"))?;
            kept.map(|file| fs::read_to_string(file?.path())).collect()
        };
        read().map_err(|error| format!("cannot read the mails: {error}"))
    }
}

/// As much of POP3 as it takes.
struct Pop3(BufReader<TcpStream>);

impl Pop3 {
    /// A connection, and the greeting.
    fn connect(port: u16) -> std::io::Result<(Self, String)> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut pop3 = Pop3(BufReader::new(stream));
        let greeting = pop3.line()?;
        Ok((pop3, greeting))
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn ask(&mut self, command: &str) -> std::io::Result<String> {
        write!(self.0.get_mut(), "{command}\r\n")?;
        let answer = self.line()?;
        if answer.starts_with("+OK") { Ok(answer) } else { Err(std::io::Error::other(answer)) }
    }

    fn retrieve(&mut self, number: usize) -> std::io::Result<String> {
        self.ask(&format!("RETR {number}"))?;
        let mut mail = String::new();
        loop {
            let line = self.line()?;
            if line == "." {
                return Ok(mail);
            }
            mail.push_str(line.strip_prefix('.').unwrap_or(&line));
            mail.push('\n');
        }
    }
}

fn command(keys: &Keys, ports: [(&str, u16); 3]) -> Result<Vec<OsString>, String> {
    let mut class_path = OsString::from(libs());
    class_path.push("/*");
    let mut store = OsString::from("-Dgreenmail.tls.keystore.file=");
    store.push(&keys.store);
    let mut command = vec![node::java()?, "-Xmx128m".into(), store];
    command.push(format!("-Dgreenmail.tls.keystore.password={STORE_PASSWORD}").into());
    command.push(format!("-Dgreenmail.users={USER}:{PASSWORD}@localhost").into());
    command.push("-Dgreenmail.startup.timeout=60000".into());
    for (protocol, port) in ports {
        command.push(format!("-Dgreenmail.{protocol}.hostname=127.0.0.1").into());
        command.push(format!("-Dgreenmail.{protocol}.port={port}").into());
    }
    command.extend(["-cp".into(), class_path, "com.icegreen.greenmail.standalone.GreenMailStandaloneRunner".into()]);
    Ok(command)
}
