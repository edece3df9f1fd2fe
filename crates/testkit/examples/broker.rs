//! A real Kafka to try things on: starts one broker on 127.0.0.1, or as many as the argument says (1 or 3), prints the
//! line for a shell that lets `drawdown` find them, and runs until standard input ends.

use std::io::{Read as _, Write as _};

use drawdown_testkit::kafka::{Cluster, Listeners};

fn main() -> Result<(), String> {
    let nodes = std::env::args().nth(1).map_or(Ok(1), |nodes| nodes.parse()).map_err(|_| "how many brokers: 1 or 3")?;
    let cluster = Cluster::start(nodes, Listeners::Plain)?;
    let mut out = std::io::stdout();
    writeln!(out, "export DRAWDOWN_KAFKA__BROKERS={}", cluster.brokers())
        .and_then(|()| out.flush())
        .map_err(|error| error.to_string())?;
    std::io::stdin().read_to_end(&mut Vec::new()).map(|_| ()).map_err(|error| error.to_string())
}
