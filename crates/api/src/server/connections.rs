//! Taking connections, no more than a few at a time, none of which may dawdle; and letting them go in good order.
//!
//! Invariants: nobody holds more than his share of the connections; every phase of one, handshake, head and answer, has an
//! end that the other side cannot put off; what goes wrong on one is the end of that one alone.

mod peers;

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::proxies::Proxies;
use crate::access::Peer;
use crate::meters::HttpMeters;
use crate::problem::Limit;
use peers::{Peers, Place};

/// The head of a request, at most.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long requests at hand may take when the server stops.
const STOP_TIME_MAX: Duration = Duration::from_secs(1);
/// How long, and how much, is read after the last answer, so that it is not lost to a client that is still sending.
const LINGER_TIME_MAX: Duration = Duration::from_secs(1);
const LINGER_BYTES_MAX: usize = 256 * 1024;

/// How many connections, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// At a time; more wait to be accepted.
    pub connection_count_max: usize,
    /// From one address at a time; more are closed at once.
    pub peer_count_max: usize,
    /// How long the handshake of TLS may take.
    pub handshake_time_max: Duration,
    /// How long the head of a request may take, the time between two requests included.
    pub head_time_max: Duration,
    /// How long the whole of a connection may take.
    pub connection_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connection_count_max: 512,
            peer_count_max: 128,
            handshake_time_max: Duration::from_secs(5),
            head_time_max: Duration::from_secs(15),
            connection_time_max: Duration::from_secs(600),
        }
    }
}

/// What a connection is answered with.
#[derive(Clone)]
struct Answering {
    router: Router,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    proxies: Proxies,
    stopped: watch::Receiver<bool>,
}

/// Answers until told to stop.
pub(super) async fn serve(
    listener: std::net::TcpListener,
    router: Router,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    proxies: Proxies,
    meters: Arc<HttpMeters>,
    mut stopped: watch::Receiver<bool>,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "cannot listen"),
    };
    let answering = Answering { router, tls, limits, proxies, stopped: stopped.clone() };
    let room = Arc::new(Semaphore::new(limits.connection_count_max));
    let peers = Arc::new(Peers::new(limits.peer_count_max));
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let permit = Arc::clone(&room).acquire_owned().await.expect("invariant: the semaphore is never closed");
            (listener.accept().await, permit)
        };
        tokio::select! {
            biased;
            () = over(&mut stopped) => break,
            (accepted, permit) = accepted => match accepted {
                Ok((stream, peer)) => match answering.place_of(&peers, peer.ip()) {
                    Some(place) => {
                        let (answering, connected) = (answering.clone(), meters.connected());
                        connections.spawn(async move {
                            let _held = (permit, place, connected);
                            let limit = answering.limits.connection_time_max;
                            let _ = tokio::time::timeout(limit, answering.connection(stream, peer)).await;
                        });
                    }
                    None => {
                        meters.refused(Limit::Connections);
                        tracing::debug!(%peer, "has too many connections");
                    }
                },
                // The connection was gone already, or there are no more files to be had: others may end meanwhile.
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(STOP_TIME_MAX, all).await;
}

/// Waits until the server is told to stop, or nobody is left who could tell.
async fn over(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

impl Answering {
    /// Room for one more connection of `peer`; `None` if it has as many as it may. A proxy, who has them for all its clients,
    /// may have as many as there are.
    fn place_of(&self, peers: &Arc<Peers>, peer: IpAddr) -> Option<Option<Place>> {
        if self.proxies.trusts(peer) { Some(None) } else { Peers::enter(peers, peer).map(Some) }
    }

    async fn connection(mut self, stream: TcpStream, peer: SocketAddr) {
        let Some(acceptor) = self.tls.take() else { return self.requests(stream, peer).await };
        let mut stopped = self.stopped.clone();
        let handshake = tokio::time::timeout(self.limits.handshake_time_max, acceptor.accept(stream));
        tokio::select! {
            biased;
            () = over(&mut stopped) => {}
            result = handshake => match result {
                Ok(Ok(stream)) => self.requests(stream, peer).await,
                Ok(Err(error)) => tracing::debug!(%error, %peer, "a handshake failed"),
                Err(_) => tracing::debug!(%peer, "a handshake took too long"),
            },
        }
    }

    async fn requests<I: AsyncRead + AsyncWrite + Unpin>(mut self, io: I, peer: SocketAddr) {
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: Request<Incoming>| {
            let client = self.proxies.client(peer, request.headers());
            request.extensions_mut().insert(Peer(client));
            Box::pin(router.call(request.map(Body::new)))
        });
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(self.limits.head_time_max).max_buf_size(HEAD_BYTES_MAX);
        let mut connection = server.serve_connection(TokioIo::new(io), service);
        let result = tokio::select! {
            result = poll_fn(|context| connection.poll_without_shutdown(context)) => result,
            () = over(&mut self.stopped) => {
                Pin::new(&mut connection).graceful_shutdown();
                poll_fn(|context| connection.poll_without_shutdown(context)).await
            }
        };
        // A client that goes away is nothing to worry about.
        if let Err(error) = result {
            tracing::debug!(%error, "a connection ended");
        }
        let parting = part(connection.into_parts().io.into_inner());
        tokio::select! {
            biased;
            () = over(&mut self.stopped) => {}
            _ = tokio::time::timeout(LINGER_TIME_MAX, parting) => {}
        }
    }
}

/// Says that there is nothing more to come, and lets the other side finish its sentence: closing while it still sends would
/// reset the connection, and the answer with it.
async fn part<I: AsyncRead + AsyncWrite + Unpin>(mut io: I) {
    if poll_fn(|context| Pin::new(&mut io).poll_shutdown(context)).await.is_err() {
        return;
    }
    let mut space = [0; 4096];
    let mut count = 0;
    while count < LINGER_BYTES_MAX {
        let mut rest = ReadBuf::new(&mut space);
        let read = poll_fn(|context| Pin::new(&mut io).poll_read(context, &mut rest)).await;
        match rest.filled().len() {
            read_count if read.is_ok() && read_count > 0 => count += read_count,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests;
