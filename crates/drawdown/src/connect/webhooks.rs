//! Webhooks on the pipeline's own log: one connector for each endpoint, so that none waits for another.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use drawdown_api::Telemetry;
use drawdown_connect::dead::DeadLetters;
use drawdown_connect::stop::Stop;
use drawdown_connect::webhook::{Client, Deliverer, Endpoint, Filter, Retries, SigningSecret, Timeouts, Url};
use serde::Deserialize;

use super::running::{Running, count};
use super::{fault, feeds};
use crate::config::Config;
use crate::exit::Failure;

/// The file of endpoints.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Certificates that are trusted beside those that this machine trusts.
    ca_file: Option<PathBuf>,
    #[serde(default)]
    endpoints: Vec<Described>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    name: String,
    url: String,
    /// Several while one takes the place of another.
    #[serde(default)]
    secrets: Vec<String>,
    /// One a line.
    secrets_file: Option<PathBuf>,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    orgs: Vec<String>,
}

/// The key of the configuration that names the file.
const KEY: &str = "webhooks.endpoints";

/// The endpoints of a file, and what calls them.
///
/// # Errors
/// The first thing that is wrong with it; no secret is in it.
pub fn read(path: &Path) -> Result<(Vec<Endpoint>, Client), Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| fault(KEY, path, &error))?;
    // The message without the lines that it is about: there may be a secret in them.
    let file: File = toml::from_str(&text).map_err(|error| fault(KEY, path, &error.message()))?;
    let authorities = file.ca_file.as_ref().map(|path| std::fs::read(path).map_err(|error| fault(KEY, path, &error)));
    let client = Client::new(Timeouts::default(), authorities.transpose()?.as_deref());
    let client = client.map_err(|error| fault(KEY, path, &error))?;
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for described in file.endpoints {
        let name = described.name.clone();
        let wrong = |what: &dyn std::fmt::Display| fault(KEY, path, &format_args!("endpoint {name:?}: {what}"));
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(wrong(&"a name has letters, digits, - and _"));
        }
        if endpoints.iter().any(|endpoint| endpoint.name() == name) {
            return Err(wrong(&"the name is given twice"));
        }
        let url = Url::parse(&described.url).map_err(|error| wrong(&error))?;
        let mut secrets = described.secrets;
        if let Some(file) = &described.secrets_file {
            let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
            secrets.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        }
        let secrets = secrets.iter().map(|text| SigningSecret::parse(text)).collect::<Result<_, _>>();
        let secrets = secrets.map_err(|error| wrong(&error))?;
        if let Some(unknown) =
            described.events.iter().find(|event| !drawdown_wire::event::NAMES.contains(&event.as_str()))
        {
            return Err(wrong(&format_args!("there is no event {unknown:?}")));
        }
        let filter = Filter { events: described.events, orgs: described.orgs };
        endpoints.push(Endpoint::new(name.clone(), url, secrets, filter).map_err(|error| wrong(&error))?);
    }
    Ok((endpoints, client))
}

/// Starts a connector for each endpoint.
///
/// # Errors
/// What is wrong with the file, or with the log.
pub fn start(
    config: &Config,
    telemetry: &Telemetry,
    path: &Path,
    dead: &Arc<dyn DeadLetters>,
    stop: &Stop,
) -> Result<Vec<Running>, Failure> {
    let (endpoints, client) = read(path)?;
    let mut all = Vec::new();
    for endpoint in endpoints {
        let name = format!("webhook-{}", endpoint.name());
        let feed = feeds::feed(config, &name)?;
        let (lag, meters, webhook) = (feed.lag(), telemetry.connector(&name), telemetry.webhook(endpoint.name()));
        let mut deliverer = Deliverer::new(endpoint, feed, client.clone(), Retries::default(), Arc::clone(dead));
        let (stop, counts) = (stop.clone(), deliverer.counts());
        let run = move || {
            deliverer.run(&stop);
        };
        let thread = thread::Builder::new().name(name).spawn(run).map_err(|error| Failure::Fault(error.into()))?;
        let counted = Box::new(move || {
            webhook.update([&counts.delivered, &counts.retried, &counts.dead].map(count), &counts.took.take());
            count(&counts.undecodable)
        });
        all.push(Running { thread, lag, meters, counted });
    }
    Ok(all)
}
