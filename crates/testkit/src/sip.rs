//! Whether calls can be made over real SIP here: Kamailio as the proxy, SIPp as the telephones.

use std::net::UdpSocket;

use crate::kafka::config::free_port;
use crate::kafka::{jars, runs};

/// Whether tests on real SIP run here. Where they do not, it says so on stderr; under `CI=true` that is a failure.
pub fn runs_here() -> bool {
    runs("SIP proxy", available())
}

/// Whether there are a proxy and telephones here; else what is missing.
///
/// # Errors
/// What is missing, in words.
pub fn available() -> Result<(), String> {
    let packages = "kamailio, kamailio-utils-modules and kamailio-extra-modules, and sip-tester for sipp";
    let missing: Vec<_> = ["kamailio", "sipp"].into_iter().filter(|program| !jars::on_path(program)).collect();
    match missing[..] {
        [] => Ok(()),
        _ => Err(format!("not on the PATH: {}; Debian's packages are {packages}", missing.join(", "))),
    }
}

/// A port of 127.0.0.1 that nobody listens on, for UDP.
///
/// # Errors
/// There is none.
pub fn udp_port() -> Result<u16, String> {
    loop {
        let port = free_port()?;
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
}
