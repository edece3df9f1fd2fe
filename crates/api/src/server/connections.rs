//! Taking connections, no more than a few at a time, none of which may dawdle; and letting them go in good order.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Connections at a time; more wait to be accepted.
const CONNECTION_COUNT_MAX: usize = 64;
/// How long the head of a request may take, the time between two requests included.
const HEAD_TIME_MAX: Duration = Duration::from_secs(15);
/// How long the whole of a connection may take.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(600);
/// The head of a request, at most.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long requests at hand may take when the server stops.
const STOP_TIME_MAX: Duration = Duration::from_secs(1);

/// Answers until told to stop.
pub(super) async fn serve(listener: std::net::TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "cannot listen"),
    };
    let room = Arc::new(Semaphore::new(CONNECTION_COUNT_MAX));
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
                Ok((stream, _)) => {
                    let answer = connection(stream, router.clone(), stopped.clone());
                    connections.spawn(async move {
                        let _permit = permit;
                        let _ = tokio::time::timeout(CONNECTION_TIME_MAX, answer).await;
                    });
                }
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

async fn connection(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    let service = TowerToHyperService::new(router);
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX).max_buf_size(HEAD_BYTES_MAX);
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        result = connection.as_mut() => note(result),
        () = over(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            note(connection.await);
        }
    }
}

/// A client that goes away is nothing to worry about.
fn note(result: Result<(), hyper::Error>) {
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended");
    }
}
