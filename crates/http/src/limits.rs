//! Rates per address and per API key, where an operator has set some: without, this layer is not there.

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use lastseat_core::id::KeyId;
use lastseat_core::refusal::Code;

use crate::address::client;
use crate::auth::api_key;
use crate::config::{HttpConfig, Rate};
use crate::problem::Problem;
use crate::state::AppState;

/// After so many requests, those who have not come for a while are forgotten.
const FORGET_EVERY: u32 = 10_000;
/// Paths that probes and scrapers ask for, which are never limited.
const FREE: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// The rates in force.
#[derive(Debug)]
pub(crate) struct Limits {
    addresses: Option<Limit<IpAddr>>,
    keys: Option<Limit<KeyId>>,
}

impl Limits {
    /// The rates of a configuration; none if it sets none.
    pub(crate) fn new(config: &HttpConfig) -> Option<Arc<Self>> {
        let limits = Self {
            addresses: config.rate_per_address.map(Limit::new),
            keys: config.rate_per_key.map(Limit::new),
        };
        (limits.addresses.is_some() || limits.keys.is_some()).then(|| Arc::new(limits))
    }
}

#[derive(Debug)]
struct Limit<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    asked: AtomicU32,
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(rate: Rate) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        Self { limiter: RateLimiter::keyed(quota), asked: AtomicU32::new(0) }
    }

    /// # Errors
    /// `429 rate_limited` with when to come back.
    fn check(&self, who: &K, whose: &str) -> Result<(), Problem> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(who).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let seconds = whole_seconds(wait);
            let text = format!("Too many requests {whose}. Try again in {seconds} s.");
            Problem::retry(Code::RateLimited, text, seconds)
        })
    }
}

fn whole_seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

/// Lets a request pass, or tells it to come back. Who shows a key in force counts by the key; everybody else,
/// wrong keys included, by the address.
pub(crate) async fn limit(
    State((state, limits)): State<(AppState, Arc<Limits>)>,
    request: Request,
    next: Next,
) -> Response {
    if FREE.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let checked = match api_key(&state.engine, &head.headers) {
        Ok(Some(key)) => limits.keys.as_ref().map(|keys| keys.check(&key.id, "with this API key")),
        _ => limits
            .addresses
            .as_ref()
            .zip(client(&head, &state.config))
            .map(|(addresses, address)| addresses.check(&address, "from this address")),
    };
    match checked {
        Some(Err(problem)) => problem.into_response(),
        _ => next.run(Request::from_parts(head, body)).await,
    }
}
