//! The configuration of nodes: ports chosen free, quick to start, quick to notice failures.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

use super::keys::{Keys, STORE_PASSWORD};

/// What one node is to be.
#[derive(Debug)]
pub struct Plan {
    /// From 1.
    pub id: usize,
    /// Its files.
    pub directory: PathBuf,
    /// `server.properties`.
    pub properties: String,
    /// Whether there are users to be known.
    pub is_secure: bool,
    plain_port: u16,
    secure_port: Option<u16>,
}

impl Plan {
    /// Where it listens without security.
    pub fn plain(&self) -> String {
        format!("127.0.0.1:{}", self.plain_port)
    }

    /// Where it listens with TLS and SCRAM.
    pub fn secure(&self) -> Option<String> {
        self.secure_port.map(|port| format!("127.0.0.1:{port}"))
    }

    /// Where it logs.
    pub fn log_file(&self) -> PathBuf {
        self.directory.join("kafka.log")
    }

    /// `server.properties` as a file.
    pub fn properties_file(&self) -> PathBuf {
        self.directory.join("server.properties")
    }
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    plain: u16,
    controller: u16,
    secure: u16,
}

/// Plans for a cluster of `count` nodes with their files under `data`.
pub fn plan(count: usize, data: &Path, keys: Option<&Keys>) -> Result<Vec<Plan>, String> {
    let mut ports = Vec::new();
    for _ in 0..count {
        ports.push(Ports { plain: free_port()?, controller: free_port()?, secure: free_port()? });
    }
    let voters: Vec<_> = (1..).zip(&ports).map(|(id, node)| format!("{id}@127.0.0.1:{}", node.controller)).collect();
    let voters = voters.join(",");
    let plans = (1..).zip(ports).map(|(id, ports)| {
        let directory = data.join(format!("node-{id}"));
        let mut properties = common(id, count, &voters, &directory);
        properties.push_str(&listeners(ports, keys));
        let secure_port = keys.map(|_| ports.secure);
        Plan { id, directory, properties, is_secure: keys.is_some(), plain_port: ports.plain, secure_port }
    });
    Ok(plans.collect())
}

fn common(id: usize, count: usize, voters: &str, directory: &Path) -> String {
    let in_sync = if count > 1 { count - 1 } else { 1 };
    format!(
        "process.roles=broker,controller
node.id={id}
controller.quorum.voters={voters}
log.dirs={}
auto.create.topics.enable=false
default.replication.factor={count}
min.insync.replicas={in_sync}
num.partitions=8
offsets.topic.replication.factor={count}
offsets.topic.num.partitions=8
transaction.state.log.replication.factor={count}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=8
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
",
        directory.join("data").display()
    )
}

fn listeners(ports: Ports, keys: Option<&Keys>) -> String {
    let Ports { plain, controller, secure } = ports;
    let mut listeners = format!("PLAINTEXT://127.0.0.1:{plain}");
    if keys.is_some() {
        listeners.push_str(&format!(",SECURE://127.0.0.1:{secure}"));
    }
    let mut properties = format!(
        "listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={listeners}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL
"
    );
    if let Some(keys) = keys {
        properties.push_str(&format!(
            "sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.secure.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PKCS12
ssl.keystore.location={}
ssl.keystore.password={STORE_PASSWORD}
ssl.key.password={STORE_PASSWORD}
",
            keys.store.display()
        ));
    }
    properties
}

/// A port that nobody listens on, below those that the kernel hands out to clients: a node must be able to come back to
/// it. Tests of one process get different ones by the count, those of others start elsewhere by their process id.
pub fn free_port() -> Result<u16, String> {
    const FIRST: u16 = 15_000;
    const COUNT: u16 = 17_000;
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let start = (process::id().wrapping_mul(131) % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let step = TAKEN.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + step) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(format!("no port is free on 127.0.0.1 between {FIRST} and {}", FIRST + COUNT))
}
