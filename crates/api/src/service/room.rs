//! Room for what reads much of the log: a few at once, and nobody for whom nobody waits.
//!
//! Invariant: a place is held as long as somebody reads, not as long as a request waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Service;
use crate::books::BooksError;
use crate::problem::{Limit, Problem};

/// How long a request waits for a place.
const WAIT_MAX: Duration = Duration::from_secs(3);

/// Some places.
#[derive(Debug)]
pub(crate) struct Room(Arc<Semaphore>);

impl Room {
    /// Room for so many.
    pub fn of(count: usize) -> Self {
        Room(Arc::new(Semaphore::new(count)))
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let place = tokio::time::timeout(WAIT_MAX, Arc::clone(&self.0).acquire_owned()).await;
        place.map(|place| place.expect("invariant: the semaphore is never closed")).map_err(|_| {
            let detail = "as much of the log is read as can be at once; try again";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).limit(Limit::Reads).retry_after(5)
        })
    }
}

/// Dropped with its request, it says to who reads for it that nobody waits any more.
#[derive(Debug, Default)]
struct Waiting {
    is_gone: Arc<AtomicBool>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.is_gone.store(true, Ordering::Relaxed);
    }
}

impl Service {
    /// As [`Service::read`], for what reads much of the log: where there is room, and for as long as somebody waits. `read`
    /// is to look between two steps whether the one who asked is gone.
    ///
    /// # Errors
    /// No place became free in time (503), or what reading says.
    pub(crate) async fn read_much<T: Send + 'static>(
        self: &Arc<Self>,
        room: &Room,
        read: impl FnOnce(&Service, &AtomicBool) -> Result<T, BooksError> + Send + 'static,
    ) -> Result<T, Problem> {
        let place = room.place().await?;
        let waiting = Waiting::default();
        let is_gone = Arc::clone(&waiting.is_gone);
        self.read(move |service| {
            let _place = place;
            read(service, &is_gone)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::meters::Telemetry;
    use crate::views::tests::Named;

    /// Reads until nobody waits.
    async fn read_on(service: Arc<Service>) -> Result<(), Problem> {
        let read = |_: &Service, is_gone: &AtomicBool| {
            while !is_gone.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            Ok(())
        };
        service.read_much(&service.reports, read).await
    }

    #[test]
    fn of_three_long_reports_one_is_refused_and_whoever_leaves_makes_room() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let service = Arc::new(Service::of_views(&Telemetry::begin("0.0.0"), Arc::new(Named(Vec::new()))));
        runtime.block_on(async {
            let running = [0, 1].map(|_| tokio::spawn(read_on(Arc::clone(&service))));
            while service.reports.0.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
            let refused = read_on(Arc::clone(&service)).await.unwrap_err();
            assert_eq!((refused.status, refused.limit, refused.retry_after_s), (503, Some(Limit::Reads), Some(5)));
            running.iter().for_each(tokio::task::JoinHandle::abort);
            service.read_much(&service.reports, |_, _| Ok(())).await.unwrap();
        });
    }
}
