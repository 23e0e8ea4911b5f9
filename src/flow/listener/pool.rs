//! A bounded pool of connections, and the choice of which to drop for a new connection.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// Limits for the number and the time of connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Maximum number of open connections. Each needs a file descriptor.
    pub(super) connections: usize,
    /// A connection is never dropped for another one within this time after it was accepted.
    pub(super) grace: Duration,
    /// A connection that hasn't sent its whole request within this time is dropped.
    pub(super) request: Duration,
}

impl Limits {
    const MOST: usize = 512;
    const LEAST: usize = 8;

    pub(super) fn of_process() -> Self {
        Self::of(descriptors())
    }

    /// Returns the limits for this many file descriptors. Half of them or more are left for the rest of the program.
    fn of(descriptors: usize) -> Self {
        Self {
            connections: (descriptors / 2).clamp(Self::LEAST, Self::MOST),
            grace: Duration::from_millis(250),
            request: Duration::from_secs(5),
        }
    }

    /// Returns the limits for the connections whose requests are being read.
    pub(super) fn of_sending(self) -> Self {
        Self {
            connections: self.connections.div_ceil(4),
            ..self
        }
    }
}

/// One of this many connections is dropped at a time.
const ROOM: usize = 16;

#[cfg(unix)]
fn descriptors() -> usize {
    use rustix::process::{Resource, getrlimit};
    let limit = getrlimit(Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}

#[cfg(not(unix))]
fn descriptors() -> usize {
    usize::MAX
}

/// The connections of a listener.
///
/// A connection has a place until it ends. It is *waiting* until its whole request has arrived; then it is answered and
/// closed at once. While no place is free, new connections stay in the kernel's backlog until
///
/// - a connection ends, because it was answered, its client closed it, or its request took too long; or
/// - the oldest waiting connections are past the grace period. They are dropped, a sixteenth of all at a time: a client
///   that holds connections and sends nothing loses its places while others need them, however many it holds.
///
/// A second pool of this kind limits the memory: it reads and answers the connections whose requests have arrived, in
/// order of arrival. A request has arrived once its head is complete: a client that sends a byte is waiting like a
/// client that sends nothing.
///
/// So a client that pauses no longer than the grace period before its request always gets through. A client that pauses
/// longer also gets through, unless more waiting connections than there are places come after it. Time in the backlog
/// doesn't count against a client, because what it sends meanwhile is there when it is accepted.
///
/// With 512 places and a grace period of 250 ms, 2,000 clients that never send and always reconnect delay a browser by
/// three quarters of a second.
#[derive(Debug)]
pub(super) struct Pool {
    limits: Limits,
    places: Arc<Semaphore>,
    /// The waiting connections by number, so that the oldest comes first.
    waiting: Mutex<BTreeMap<u64, Waiting>>,
    accepted: AtomicU64,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    gives_way: CancellationToken,
}

impl Pool {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            places: Arc::new(Semaphore::new(limits.connections)),
            waiting: Mutex::default(),
            accepted: AtomicU64::new(0),
        })
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u64, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place for one more connection. Never returns `None`.
    pub(super) async fn place(self: &Arc<Self>) -> Option<Place> {
        // Keep this future throughout, so that the first to wait is served first.
        let free = Arc::clone(&self.places).acquire_owned();
        tokio::pin!(free);
        let permit = loop {
            let Some(oldest) = self.oldest() else {
                break free.await;
            };
            let past_grace = oldest + self.limits.grace;
            if let Ok(permit) = timeout_at(past_grace, free.as_mut()).await {
                break permit;
            }
            // Don't drop a connection whose client has just sent a request or closed it.
            tokio::task::yield_now().await;
            if let Ok(permit) = timeout(Duration::ZERO, free.as_mut()).await {
                break permit;
            }
            self.make_room();
        };
        Some(Place {
            pool: Arc::clone(self),
            permit: permit.ok()?,
        })
    }

    fn oldest(&self) -> Option<Instant> {
        let waiting = self.waiting();
        waiting.first_key_value().map(|(_, oldest)| oldest.since)
    }

    /// Drops the oldest waiting connections past the grace period. It drops several, so that a flood of new connections
    /// isn't faster than the drops.
    fn make_room(&self) {
        let Some(young) = Instant::now().checked_sub(self.limits.grace) else {
            return;
        };
        for _ in 0..self.limits.connections.div_ceil(ROOM) {
            if self.oldest().is_some_and(|since| since <= young) {
                self.drop_oldest();
            }
        }
    }

    /// Drops the oldest waiting connection, whatever its age. Also called when the system has no free descriptor.
    pub(super) fn drop_oldest(&self) {
        if let Some((_, oldest)) = self.waiting().pop_first() {
            oldest.gives_way.cancel();
        }
    }
}

/// A free place.
#[derive(Debug)]
pub(super) struct Place {
    pool: Arc<Pool>,
    permit: OwnedSemaphorePermit,
}

impl Place {
    /// Gives the place to a connection that was just accepted.
    pub(super) fn take(self) -> Guest {
        let Self { pool, permit } = self;
        let number = pool.accepted.fetch_add(1, Ordering::Relaxed);
        let (since, gives_way) = (Instant::now(), CancellationToken::new());
        let waiting = Waiting {
            since,
            gives_way: gives_way.clone(),
        };
        pool.waiting().insert(number, waiting);
        Guest {
            number,
            deadline: since + pool.limits.request,
            gives_way,
            pool,
            _permit: permit,
        }
    }
}

/// A connection that has a place. Dropping it frees the place.
#[derive(Debug)]
pub(super) struct Guest {
    number: u64,
    deadline: Instant,
    gives_way: CancellationToken,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Guest {
    /// Records that the whole request has arrived. Returns `false` if that was recorded before.
    pub(super) fn stops_waiting(&self) -> bool {
        self.pool.waiting().remove(&self.number).is_some()
    }

    /// Resolves when the connection must be closed: it is dropped for another one, or its request took too long. Never
    /// resolves after the request has arrived.
    pub(super) async fn has_to_go(&self) {
        tokio::select! {
            () = self.gives_way.cancelled() => {}
            () = tokio::time::sleep_until(self.deadline) => {
                if !self.stops_waiting() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.stops_waiting();
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test fails on anything unexpected"
    )]

    use super::*;

    const LIMITS: Limits = Limits {
        connections: 4,
        grace: Duration::from_millis(250),
        request: Duration::from_secs(5),
    };

    #[test]
    fn connection_limits_are_derived_from_descriptors() {
        for (descriptors, connections, sending) in [
            (0, 8, 2),
            (100, 50, 13),
            (1024, 512, 128),
            (usize::MAX, 512, 128),
        ] {
            let limits = Limits::of(descriptors);
            assert_eq!(limits.connections, connections);
            assert_eq!(limits.of_sending().connections, sending);
            assert_eq!(limits.of_sending().grace, limits.grace);
        }
        assert!(descriptors() > 0);
    }

    async fn accepted(pool: &Arc<Pool>) -> Guest {
        pool.place().await.unwrap().take()
    }

    /// Serves like the listener: until the client closes the connection, or it must be closed.
    fn serve(guest: Guest, client: CancellationToken) -> tokio::task::JoinHandle<bool> {
        tokio::spawn(async move {
            tokio::select! {
                () = guest.has_to_go() => true,
                () = client.cancelled() => false,
            }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn new_connection_waits_only_for_the_oldest_grace_period() {
        let pool = Pool::new(LIMITS);
        let begin = Instant::now();
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(serve(accepted(&pool).await, CancellationToken::new()));
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
        let fifth = accepted(&pool).await;
        let waited = begin.elapsed();
        assert!(
            waited >= LIMITS.grace && waited < LIMITS.grace * 2,
            "{waited:?}"
        );
        assert!(held.remove(0).await.unwrap(), "the oldest gave way");
        assert!(!held[0].is_finished(), "the second did not");
        drop(fifth);
    }

    #[tokio::test(start_paused = true)]
    async fn short_pause_survives_any_number_of_held_connections() {
        let pool = Pool::new(LIMITS);
        let honest = accepted(&pool).await;
        let rivals = Arc::clone(&pool);
        let storm = tokio::spawn(async move {
            loop {
                // The client never closes this connection.
                serve(accepted(&rivals).await, CancellationToken::new());
            }
        });
        tokio::select! {
            () = honest.has_to_go() => panic!("it was dropped in its grace"),
            () = tokio::time::sleep(LIMITS.grace * 99 / 100) => {}
        }
        assert!(honest.stops_waiting(), "it is still there");
        // From now on, the connection is never dropped.
        tokio::select! {
            () = honest.has_to_go() => panic!("it was dropped while it was answered"),
            () = tokio::time::sleep(LIMITS.request * 10) => {}
        }
        storm.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_pause_survives_clients_that_connect_and_close() {
        let pool = Pool::new(LIMITS);
        let honest = accepted(&pool).await;
        let rivals = Arc::clone(&pool);
        let storm = tokio::spawn(async move {
            loop {
                let closed = CancellationToken::new();
                closed.cancel();
                serve(accepted(&rivals).await, closed);
                tokio::time::sleep(Duration::from_micros(10)).await;
            }
        });
        tokio::select! {
            () = honest.has_to_go() => panic!("it was dropped"),
            () = tokio::time::sleep(LIMITS.request / 2) => {}
        }
        storm.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn oldest_connections_are_dropped_in_groups() {
        let pool = Pool::new(Limits {
            connections: 64,
            ..LIMITS
        });
        let mut held = Vec::new();
        for _ in 0..64 {
            held.push(serve(accepted(&pool).await, CancellationToken::new()));
        }
        let new = accepted(&pool).await;
        let gone = held.iter().map(tokio::task::JoinHandle::is_finished);
        let gone: Vec<usize> = gone
            .enumerate()
            .filter_map(|(at, gone)| gone.then_some(at))
            .collect();
        assert_eq!(gone, [0, 1, 2, 3]);
        drop(new);
    }

    #[tokio::test(start_paused = true)]
    async fn no_connection_is_dropped_while_others_are_closing() {
        let pool = Pool::new(LIMITS);
        let honest = serve(accepted(&pool).await, CancellationToken::new());
        let closing = CancellationToken::new();
        for _ in 0..3 {
            serve(accepted(&pool).await, closing.clone());
        }
        tokio::time::sleep(LIMITS.grace * 2).await;
        closing.cancel();
        let new = accepted(&pool).await;
        tokio::task::yield_now().await;
        assert!(!honest.is_finished());
        drop(new);
    }

    #[tokio::test(start_paused = true)]
    async fn connection_without_a_request_is_dropped() {
        let pool = Pool::new(LIMITS);
        let begin = Instant::now();
        let guest = accepted(&pool).await;
        let gone = timeout_at(begin + LIMITS.request * 2, guest.has_to_go()).await;
        assert!(gone.is_ok() && begin.elapsed() >= LIMITS.request);
    }

    #[tokio::test(start_paused = true)]
    async fn connections_being_served_are_not_dropped() {
        let pool = Pool::new(LIMITS);
        let mut answered = Vec::new();
        for _ in 0..4 {
            let guest = accepted(&pool).await;
            assert!(guest.stops_waiting());
            answered.push(guest);
        }
        let another = tokio::time::timeout(LIMITS.request, pool.place()).await;
        assert!(another.is_err(), "there is no place");
        answered.pop();
        accepted(&pool).await;
    }
}
