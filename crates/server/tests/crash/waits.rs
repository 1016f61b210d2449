//! SIGKILL, while people wait for what is sold out.

use std::time::Duration;

use lastseat_testkit::TestServer;

use crate::dice;
use crate::real::Api;
use crate::waiting::finale;
use crate::waiting::people::Crowd;
use crate::waiting::wares::stock;

/// How often the server is killed.
const KILLS: u64 = 12;
/// People.
const PEOPLE: usize = 24;
/// The server lives at least and at most so long, in milliseconds, before it is killed.
const LIVES: (u64, u64) = (100, 1_200);

#[tokio::test(flavor = "multi_thread")]
async fn crash_after_crash_those_who_wait_keep_their_places_and_their_offers() {
    let mut dice = dice::thrown("crashes");
    let mut server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let running = Crowd::start(std::slice::from_ref(&server), &api, stock(&api).await, PEOPLE, &mut dice);
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(LIVES.0 + dice.below(LIVES.1 - LIVES.0))).await;
        server.kill().unwrap();
        // Beside no server, on what the crash has left.
        tokio::task::block_in_place(|| server.verify()).unwrap();
        tokio::task::block_in_place(|| server.restart()).unwrap();
    }
    let crowd = running.stop().await;
    let lost = crowd.memory.lock().unwrap().lost;
    let seen = finale::check(std::slice::from_ref(&server), &api, &crowd).await;
    eprintln!("{KILLS} kills, {lost} answers lost; {seen:?}");
    assert!(lost > 0, "no answer was lost: the kills hit nobody");
    assert_eq!(server.terminate().unwrap(), 0);
}
