//! A healthy customer beside the trouble, who must not notice it.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::real::{Api, ask, booking, places};

/// Longest time of one healthy request beside trouble. Alone it takes a few milliseconds, even unoptimised; a
/// machine that runs other tests at the same time may take longer, but nothing may wait for the trouble to end.
const LONGEST: Duration = Duration::from_secs(3);
/// The same for most of them.
const USUAL: Duration = Duration::from_millis(500);
/// How long the healthy one thinks.
const PAUSE: Duration = Duration::from_millis(20);

/// Somebody who looks and books all the time.
pub struct Healthy {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Vec<Duration>>,
}

impl Healthy {
    /// Begins; on a listing of its own.
    pub async fn beside(api: &Api) -> Self {
        let listing = api.listing(&places(100_000)).await;
        let (stop, mut stopped) = oneshot::channel();
        let api = Api { client: reqwest::Client::builder().no_proxy().build().unwrap(), ..api.clone() };
        let task = tokio::spawn(async move {
            let mut took = Vec::new();
            for customer in 0.. {
                let begun = Instant::now();
                ask(api.get(&format!("/v1/listings/{listing}/availability"))).await.ok(200);
                took.push(begun.elapsed());
                let begun = Instant::now();
                api.book(&booking(&listing, &format!("healthy {customer}"))).await;
                took.push(begun.elapsed());
                if stopped.try_recv().is_ok() {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
            took
        });
        Self { stop, task }
    }

    /// Ends, and asserts that no request took long.
    pub async fn was_served(self) {
        self.stop.send(()).unwrap();
        let mut took = self.task.await.unwrap();
        took.sort_unstable();
        let (usual, longest) = (took[took.len() * 9 / 10], took[took.len() - 1]);
        eprintln!("{} healthy requests, 9 of 10 within {usual:?}, the longest {longest:?}", took.len());
        assert!(longest < LONGEST && usual < USUAL, "9 of 10 within {usual:?}, the longest {longest:?}");
    }
}
