//! A lock in Redis: `SET lock:room:{roomID}:{date} OWNER NX PX 5000`, ten retries 50 ms apart, then read, check and write
//! in a transaction, and release by a script that looks whether the lock is still ours. Thinking is done before.
//!
//! The database does not check anything: that is what the lock is for. So when an owner is held up for longer than the
//! lock lasts (a pause of its process, a slow database), the next one gets the lock, both have read the same number, and
//! the place is sold twice. The release tells the first of them, when it is too late; that is counted and told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use lastseat_engine::ids;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ExistenceCheck, Script, SetExpiry, SetOptions};

use super::rows::{self, POOL};
use super::shop::Shop;
use super::users::{Answer, Request, Way};

/// How long the lock lasts, in milliseconds.
const LOCK_MS: u64 = 5_000;
/// Retries after the first try.
const RETRIES: u32 = 10;
/// Between two of them.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// How long Redis may take to answer. Who gives up on an answer does not know whether the lock was taken, and leaves it
/// locked for [`LOCK_MS`].
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// The night that everybody wants.
const NIGHT: &str = "2027-12-24";

const READ: &str = "SELECT capacity - taken FROM pools WHERE id = $1";
const COUNT: &str = "UPDATE pools SET taken = taken + 1 WHERE id = $1";
/// Deletes the lock if it is still that of the owner, and says whether it was.
const RELEASE: &str =
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

pub(super) struct RedisLock {
    shop: Arc<Shop>,
    redis: MultiplexedConnection,
    release: Script,
    /// The room is this race's own.
    key: String,
    /// How long the lock lasts.
    lock: Duration,
    /// How long the process is held up between checking and writing: not at all, but for tests.
    held_up: Duration,
    /// Locks that were somebody else's by the time of their release.
    lost: AtomicU64,
}

impl RedisLock {
    pub(super) async fn new(shop: Arc<Shop>, redis: &redis::Client) -> anyhow::Result<Self> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(RESPONSE_TIMEOUT));
        let redis = redis
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .context("cannot connect to the Redis to race on")?;
        shop.warm(&[[READ, COUNT].as_slice(), &rows::STATEMENTS].concat()).await?;
        Ok(Self {
            shop,
            redis,
            release: Script::new(RELEASE),
            key: format!("lock:room:{:016x}:{NIGHT}", ids::bits() >> 64),
            lock: Duration::from_millis(LOCK_MS),
            held_up: Duration::ZERO,
            lost: AtomicU64::new(0),
        })
    }

    /// What there is to say after the race.
    pub(super) fn note(&self) -> Option<String> {
        let lost = self.lost.load(Ordering::Relaxed);
        (lost > 0).then(|| {
            format!(
                "redis-lock: {lost} locks had run out before they were released, so somebody else was let in"
            )
        })
    }

    /// Removes what a race that was cut short has left.
    pub(super) async fn close(&self) {
        // If Redis is gone, so is the lock, at the latest when its time is over.
        let _: Result<(), _> = redis::cmd("DEL").arg(&self.key).query_async(&mut self.redis.clone()).await;
    }

    /// Tries to get the lock for `owner`.
    async fn acquire(&self, owner: &str) -> anyhow::Result<bool> {
        let lock = u64::try_from(self.lock.as_millis()).unwrap_or(LOCK_MS);
        let options =
            SetOptions::default().conditional_set(ExistenceCheck::NX).with_expiration(SetExpiry::PX(lock));
        let mut set = redis::cmd("SET");
        set.arg(&self.key).arg(owner).arg(options);
        let taken: Option<String> = set.query_async(&mut self.redis.clone()).await?;
        Ok(taken.is_some())
    }

    /// The transaction, under the lock.
    async fn sell(&self, request: &Request) -> anyhow::Result<Answer> {
        let mut client = self.shop.client().await?;
        let tx = client.transaction().await?;
        if rows::known(&tx, request).await? {
            return Ok(Answer::Sold);
        }
        let read = tx.prepare_cached(READ).await?;
        let left: i64 = tx.query_one(&read, &[&POOL]).await?.try_get(0)?;
        if left <= 0 {
            tx.rollback().await?;
            return Ok(Answer::SoldOut);
        }
        if !self.held_up.is_zero() {
            tokio::time::sleep(self.held_up).await;
        }
        rows::run(&tx, COUNT, &[&POOL]).await?;
        rows::insert(&tx, request).await?;
        tx.commit().await?;
        Ok(Answer::Sold)
    }
}

impl Way for RedisLock {
    async fn book(&self, request: &Request) -> anyhow::Result<Answer> {
        let owner = format!("{:032x}", ids::bits());
        let mut tries = 0;
        while !self.acquire(&owner).await? {
            tries += 1;
            if tries > RETRIES {
                return Ok(Answer::Busy);
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
        let answer = self.sell(request).await;
        let mut release = self.release.key(&self.key);
        let ours: i64 = release.arg(&owner).invoke_async(&mut self.redis.clone()).await?;
        if ours == 0 {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::{Ground, Options, Strategy, users};
    use tokio_util::sync::CancellationToken;

    #[tokio::test(flavor = "multi_thread")]
    async fn an_owner_who_is_held_up_longer_than_the_lock_lasts_sells_the_place_a_second_time() {
        let ground = Ground::prepare(&[Strategy::RedisLock], None, None).unwrap();
        let shop = Shop::open(&ground.database().unwrap().line, 2, 1).await.unwrap();
        let held_up = Duration::from_millis(400);
        let lock = Duration::from_millis(100);
        let way = RedisLock::new(Arc::clone(&shop), ground.redis()).await.unwrap();
        let way = Arc::new(RedisLock { lock, held_up, ..way });
        let options = Options { users: 2, capacity: 1, think: Duration::ZERO, limit: None };
        let count = users::race(&way, &options, &CancellationToken::new()).await.unwrap();
        assert_eq!((count.sold, shop.stored().await.unwrap()), (2, 2), "{count:?}");
        assert!(way.note().unwrap().contains("2 locks had run out"), "{:?}", way.note());
        shop.close().await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_does_not_get_the_lock_in_time_is_told_to_try_again_and_the_owner_keeps_it() {
        let ground = Ground::prepare(&[Strategy::RedisLock], None, None).unwrap();
        let shop = Shop::open(&ground.database().unwrap().line, 1, 1).await.unwrap();
        let way = RedisLock::new(Arc::clone(&shop), ground.redis()).await.unwrap();
        assert!(way.acquire("somebody else").await.unwrap());
        assert_eq!(way.book(&Request::new()).await.unwrap(), Answer::Busy);
        let owner: String =
            redis::cmd("GET").arg(&way.key).query_async(&mut way.redis.clone()).await.unwrap();
        assert_eq!(owner, "somebody else");
        way.close().await;
        assert_eq!(way.book(&Request::new()).await.unwrap(), Answer::Sold);
        assert!(way.acquire("the next").await.unwrap(), "released");
        shop.close().await.unwrap();
    }
}
