//! A real Kafka for tests: one node or three, without containers, on 127.0.0.1 only and on ports chosen free.
//!
//! Invariants: its processes die with the process that started them, even if that is killed; two runs never meet. The
//! broker's jars are fetched once, into `target/kafka/<version>`. Knows nothing of topics: whoever tests makes them.

pub(crate) mod config;
pub(crate) mod guarded;
pub(crate) mod jars;
pub(crate) mod keys;
pub(crate) mod node;

use std::env;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use node::Node;

/// The user that the listener with SASL knows.
pub const USER: &str = "drawdown";

/// Its password.
pub const PASSWORD: &str = "correct horse battery staple";

/// Whether brokers can be started here; else why not.
///
/// # Errors
/// What is missing, in words.
pub fn available() -> Result<(), String> {
    if env::var_os(BROKERS).is_some() {
        return Ok(());
    }
    node::java()?;
    jars::available()
}

/// Whether tests on a real broker run here. Where they do not, it says so on stderr; under `CI=true` that is a failure.
pub fn runs_here() -> bool {
    runs("broker", available())
}

/// Whether tests on a real `what` run, of which `available` says whether it is there.
#[allow(clippy::print_stderr, reason = "a test that did not run must say so to whoever runs it")]
pub(crate) fn runs(what: &str, available: Result<(), String>) -> bool {
    match available {
        Ok(()) => true,
        Err(reason) if env::var("CI").is_ok_and(|value| value == "true") => {
            panic!("the tests on a real {what} cannot run: {reason}")
        }
        Err(reason) => {
            eprintln!("NOT RUN: no real {what} here: {reason}");
            false
        }
    }
}

/// A prefix for the topics of one test, unlike any other.
pub fn topic_prefix(test: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{test}-{}-{}-", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Where the environment names a broker to test against.
const BROKERS: &str = "DRAWDOWN_TEST_BROKERS";

/// A broker to test against: the one that `DRAWDOWN_TEST_BROKERS` names, or one of our own.
#[derive(Debug)]
pub struct Broker {
    brokers: String,
    own: Option<Cluster>,
}

impl Broker {
    /// One node, unless the environment names a broker.
    ///
    /// # Errors
    /// Why it does not start.
    pub fn single() -> Result<Self, String> {
        match env::var(BROKERS) {
            Ok(brokers) => Ok(Broker { brokers, own: None }),
            Err(_) => Broker::own(Cluster::start(1, Listeners::Plain)?),
        }
    }

    /// One node of our own, with a listener with TLS and SCRAM beside the plain one.
    ///
    /// # Errors
    /// Why it does not start.
    pub fn secure() -> Result<Self, String> {
        Broker::own(Cluster::start(1, Listeners::PlainAndSecure)?)
    }

    fn own(cluster: Cluster) -> Result<Self, String> {
        Ok(Broker { brokers: cluster.brokers(), own: Some(cluster) })
    }

    /// For `bootstrap.servers`, without security.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Its process, if it is ours.
    pub fn cluster(&mut self) -> Option<&mut Cluster> {
        self.own.as_mut()
    }

    /// The listener with TLS and SCRAM, if there is one.
    pub fn secure_listener(&self) -> Option<SecureListener> {
        self.own.as_ref()?.secure_listener()
    }
}

/// What listeners nodes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listeners {
    /// One without security.
    Plain,
    /// One more with TLS and SCRAM-SHA-256.
    PlainAndSecure,
}

/// How to reach the listener with TLS and SCRAM-SHA-256, as [`USER`] with [`PASSWORD`].
#[derive(Debug, Clone)]
pub struct SecureListener {
    /// For `bootstrap.servers`.
    pub brokers: String,
    /// For `ssl.ca.location`.
    pub authority: PathBuf,
}

/// Nodes of our own, each broker and controller at once.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
    authority: Option<PathBuf>,
    /// Goes last: the nodes write there.
    _data: TempDir,
}

impl Cluster {
    /// Three nodes, replication 3, at least 2 in sync; quick to notice that one is gone.
    ///
    /// # Errors
    /// Why it does not start.
    pub fn three() -> Result<Self, String> {
        Cluster::start(3, Listeners::Plain)
    }

    /// Nodes that take connections.
    ///
    /// # Errors
    /// Why they do not start.
    pub fn start(nodes: usize, listeners: Listeners) -> Result<Self, String> {
        let version = jars::version();
        let jars = jars::fetch(&version)?;
        let keys = match listeners {
            Listeners::Plain => None,
            Listeners::PlainAndSecure => Some(keys::make()?),
        };
        let data = node::data_directory()?;
        let plans = config::plan(nodes, data.path(), keys.as_ref())?;
        let mut nodes = Vec::new();
        for plan in plans {
            nodes.push(Node::prepare(plan, &jars, &version)?);
        }
        nodes.iter_mut().try_for_each(Node::launch)?;
        nodes.iter_mut().try_for_each(Node::wait_until_ready)?;
        Ok(Cluster { nodes, authority: keys.map(|keys| keys.authority), _data: data })
    }

    /// For `bootstrap.servers`, without security.
    pub fn brokers(&self) -> String {
        self.nodes.iter().map(|node| node.plan().plain()).collect::<Vec<_>>().join(",")
    }

    /// The listeners with TLS and SCRAM, if there are such.
    pub fn secure_listener(&self) -> Option<SecureListener> {
        let brokers = self.nodes.iter().map(|node| node.plan().secure()).collect::<Option<Vec<_>>>()?;
        Some(SecureListener { brokers: brokers.join(","), authority: self.authority.clone()? })
    }

    /// How many nodes, running or not.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Ends a node as a failing machine would.
    pub fn kill_9(&mut self, node: usize) {
        self.nodes[node].kill();
    }

    /// Stops a node in good order.
    ///
    /// # Errors
    /// It does not stop.
    pub fn stop(&mut self, node: usize) -> Result<(), String> {
        self.nodes[node].stop()
    }

    /// Starts a node that was ended, on its old ports and with its old data, and waits until it takes connections.
    ///
    /// # Errors
    /// Why it does not start.
    pub fn restart(&mut self, node: usize) -> Result<(), String> {
        self.nodes[node].launch()?;
        self.nodes[node].wait_until_ready()
    }

    /// Where a node logs, for whoever wonders what went wrong.
    pub fn log_file(&self, node: usize) -> PathBuf {
        self.nodes[node].plan().log_file()
    }
}

#[cfg(test)]
mod tests;
