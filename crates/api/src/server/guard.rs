//! What stands before the routes: who may ask, over which certificate, and how much at once.

use std::sync::Arc;

use axum::{Router, middleware};

use super::proxies::Proxies;
use crate::access::{Access, Settings, admit};
use crate::body::{self, Limit, limited};
use crate::tls::{Files, Tls};

/// The guard of a server.
#[derive(Debug, Clone)]
pub struct Guard {
    /// Who may ask.
    pub access: Arc<Access>,
    /// The certificate, if connections are to be secure.
    pub tls: Option<Arc<Tls>>,
    /// How long one request of usage records may be.
    pub body_max_bytes: usize,
    /// Who is believed when they say whom they had a request from.
    pub proxies: Proxies,
}

impl Guard {
    /// Reads the files of keys and certificates.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn open(access: Settings, tls: Option<&Files>, body_max_bytes: usize) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut noted = |found: Vec<String>| faults.extend(found);
        let access = Access::open(access).map_err(&mut noted).ok();
        let tls = tls.map(|files| Tls::open(files).map_err(&mut noted));
        match (access, tls.transpose()) {
            (Some(access), Ok(tls)) => {
                let (access, tls) = (Arc::new(access), tls.map(Arc::new));
                Ok(Guard { access, tls, body_max_bytes, proxies: Proxies::default() })
            }
            _ => Err(faults),
        }
    }

    /// The same, behind those who pass requests on.
    #[must_use]
    pub fn behind(self, proxies: Proxies) -> Self {
        Guard { proxies, ..self }
    }

    /// A guard who lets everybody in.
    pub fn of_everybody() -> Self {
        let access = Arc::new(Access::of_everybody());
        Guard { access, tls: None, body_max_bytes: body::INGEST_BYTES_MAX, proxies: Proxies::default() }
    }

    /// Routes that are answered only to somebody who is known, and whose bodies are of ordinary length.
    pub fn before<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        self.admitting(limited(router, Limit::of(body::BYTES_MAX)))
    }

    /// The same for routes that take usage records.
    pub fn before_ingest<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        self.admitting(limited(router, Limit::of(self.body_max_bytes)))
    }

    /// Outermost, so that no byte of a stranger's body is read.
    fn admitting<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        router.layer(middleware::from_fn_with_state(Arc::clone(&self.access), admit))
    }

    /// Follows the files and the issuer's keys, on the runtime of the server and as long as it.
    pub(super) fn follow(&self) {
        tokio::spawn(Arc::clone(&self.access).upkeep());
        if let Some(tls) = &self.tls {
            tokio::spawn(Arc::clone(tls).upkeep());
        }
    }
}
