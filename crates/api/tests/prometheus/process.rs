//! A Prometheus of our own: on a free port, with its data in a directory that goes when it goes.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take here: a hang is to be an error.
const PATIENCE: Duration = Duration::from_secs(90);

pub struct Prometheus {
    child: Child,
    address: SocketAddr,
    agent: ureq::Agent,
    _directory: tempfile::TempDir,
}

impl Prometheus {
    /// Starts it, and waits until it answers.
    pub fn start(target: SocketAddr, rules: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
             rule_files: [{:?}]\n\
             scrape_configs: [{{job_name: drawdown, static_configs: [{{targets: [\"{target}\"]}}]}}]\n",
            rules.canonicalize().unwrap()
        );
        let file = directory.path().join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let mut child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--log.format=json"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("prometheus starts");
        let stderr = child.stderr.take().unwrap();
        let (found, address) = mpsc::channel();
        // It says where it listens; the rest is read so that it never waits for a reader.
        std::thread::spawn(move || {
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            for address in lines.filter_map(|line| listening(&line)) {
                let _ = found.send(address);
            }
        });
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            .build()
            .into();
        let address = address.recv_timeout(PATIENCE);
        let mut prometheus = Prometheus { child, address: ([127, 0, 0, 1], 0).into(), agent, _directory: directory };
        prometheus.address = address.expect("prometheus says where it listens");
        let ready = format!("http://{}/-/ready", prometheus.address);
        prometheus.wait_until("prometheus is ready", || match prometheus.agent.get(&ready).call() {
            Ok(response) if response.status() == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        });
        prometheus
    }

    /// How many series a query has now. A query that is wrong fails the test.
    pub fn query(&self, query: &str) -> usize {
        let answer = self.get("query", &[("query", query)]);
        assert_eq!(answer["status"], "success", "{query}\n{answer}");
        let result = answer["data"]["result"].as_array().unwrap();
        let is_number = |series: &&Value| series["value"][1].as_str().is_some_and(|value| value != "NaN");
        result.iter().filter(is_number).count()
    }

    /// Whether every rule was evaluated, and none with an error.
    pub fn rules_evaluated(&self) -> Result<(), String> {
        let answer = self.get("rules", &[]);
        let groups = answer["data"]["groups"].as_array().unwrap();
        let rules: Vec<&Value> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
        assert!(rules.len() > 20, "{answer}");
        let pending: Vec<String> =
            rules.iter().filter(|rule| rule["health"] != "ok").map(ToString::to_string).collect();
        let error = rules.iter().find(|rule| rule["health"] == "err");
        assert!(error.is_none(), "{error:?}");
        if pending.is_empty() { Ok(()) } else { Err(pending.join("\n")) }
    }

    fn get(&self, what: &str, parameters: &[(&str, &str)]) -> Value {
        let request = self.agent.get(format!("http://{}/api/v1/{what}", self.address));
        let mut response = request.query_pairs(parameters.iter().copied()).call().unwrap();
        serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// Asks again and again, and fails with the last answer when patience is over.
    pub fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> Result<(), String>) {
        let started = Instant::now();
        loop {
            match is_so() {
                Ok(()) => return,
                Err(answer) => assert!(started.elapsed() < PATIENCE, "{what}: not yet\n{answer}"),
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in a line of its log.
fn listening(line: &str) -> Option<SocketAddr> {
    let line: Value = serde_json::from_str(line).ok()?;
    line["address"].as_str()?.parse().ok().filter(|address: &SocketAddr| address.port() != 0)
}
