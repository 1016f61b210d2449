//! The proxy that makes a line longer, and breaks it.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lastseat_scratch::{Fault, Flow, Proxy, wait_until};

/// How long to wait for something that must come.
const SOON: Duration = Duration::from_secs(10);

/// How long to wait for something that must not come.
const NOT_SOON: Duration = Duration::from_millis(200);

/// A server that answers with what it is told, and remembers it.
struct Echo {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Echo {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heard) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<u8>>>::default());
        let ears = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, ears) = (stream.unwrap(), Arc::clone(&ears));
                std::thread::spawn(move || {
                    stream.set_nodelay(true).unwrap();
                    let mut buffer = vec![0; 64 * 1024];
                    while let Ok(read @ 1..) = stream.read(&mut buffer) {
                        ears.lock().unwrap().extend_from_slice(&buffer[..read]);
                        if stream.write_all(&buffer[..read]).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { address, heard }
    }

    fn has_heard(&self, wanted: &[u8]) -> bool {
        self.heard.lock().unwrap().ends_with(wanted)
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

fn say(mut stream: &TcpStream, text: &[u8]) {
    stream.write_all(text).unwrap();
}

fn hear(mut stream: &TcpStream, wanted: &[u8]) {
    let mut heard = vec![0; wanted.len()];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(heard, wanted);
}

fn hear_nothing(mut stream: &TcpStream) {
    stream.set_read_timeout(Some(NOT_SOON)).unwrap();
    let error = stream.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    stream.set_read_timeout(Some(SOON)).unwrap();
}

/// The median and the 90th percentile of how long an answer takes.
fn round_trips(stream: &TcpStream) -> (Duration, Duration) {
    let mut took: Vec<Duration> = (0..20)
        .map(|_| {
            let start = Instant::now();
            say(stream, b"ping");
            hear(stream, b"ping");
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    (took[took.len() / 2], took[took.len() * 9 / 10])
}

#[test]
fn a_millisecond_more_is_a_millisecond_more() {
    const ADDED: Duration = Duration::from_millis(1);
    let echo = Echo::start();
    let proxy = Proxy::start(echo.address, ADDED).unwrap();
    let (direct, longer) = (connect(echo.address), connect(proxy.address()));
    let mut seen = Vec::new();
    // Others use this machine too: of many short rounds it is enough that one was left in peace.
    for _ in 0..300 {
        let (usual, _) = round_trips(&direct);
        let (median, p90) = round_trips(&longer);
        let off = |took: Duration| took.saturating_sub(usual).abs_diff(ADDED);
        if off(median) <= Duration::from_micros(100) && off(p90) <= Duration::from_micros(300) {
            return;
        }
        seen.push((off(median), off(p90)));
    }
    panic!("off by (median, 90th percentile), best first: {:?}", seen.iter().min());
}

#[test]
fn a_long_line_is_no_narrow_one() {
    const BYTES: usize = 30 * 1024 * 1024;
    const ADDED: Duration = Duration::from_millis(100);
    let echo = Echo::start();
    let proxy = Proxy::start(echo.address, ADDED).unwrap();
    let stream = connect(proxy.address());
    let sent: Vec<u8> = (0..BYTES).map(|i| (i / 7 % 251).to_le_bytes()[0]).collect();
    let start = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| say(&stream, &sent));
        let mut heard = vec![0; BYTES];
        (&stream).read_exact(&mut heard).unwrap();
        assert!(heard == sent, "all arrives in order");
    });
    // One packet per round trip would take many minutes.
    assert!(start.elapsed() > ADDED && start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn a_delay_made_shorter_lets_nothing_overtake() {
    let echo = Echo::start();
    let proxy = Proxy::start(echo.address, Duration::from_millis(300)).unwrap();
    let stream = connect(proxy.address());
    say(&stream, b"first ");
    wait_until(SOON, "the connection", || (proxy.connections() == 1).then_some(())).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    proxy.set_added_round_trip(Duration::ZERO);
    say(&stream, b"second");
    hear(&stream, b"first second");
    let start = Instant::now();
    say(&stream, b"third");
    hear(&stream, b"third");
    assert!(start.elapsed() < Duration::from_millis(300));
}

#[test]
fn an_end_arrives_behind_all_that_was_said() {
    let echo = Echo::start();
    let proxy = Proxy::start(echo.address, Duration::from_millis(20)).unwrap();
    let stream = connect(proxy.address());
    say(&stream, b"goodbye");
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut heard = Vec::new();
    (&stream).read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"goodbye");
    drop(stream);
    wait_until(SOON, "the connection's end", || (proxy.connections() == 0).then_some(())).unwrap();
}

#[test]
fn swallowed_answers_were_given_all_the_same() {
    let echo = Echo::start();
    let proxy = Proxy::start(echo.address, Duration::ZERO).unwrap();
    let (stream, other) = (connect(proxy.address()), connect(proxy.address()));
    proxy.arm(b"COMMIT", Fault::SwallowAnswers);
    say(&stream, b"BEGIN; ");
    hear(&stream, b"BEGIN; ");
    assert!(!proxy.has_struck());
    say(&stream, b"COM");
    hear(&stream, b"COM");
    say(&stream, b"MIT");
    hear_nothing(&stream);
    assert!(proxy.has_struck() && echo.has_heard(b"COMMIT"));
    say(&other, b"COMMIT");
    hear(&other, b"COMMIT");
    proxy.heal();
    say(&stream, b"more");
    hear(&stream, b"more");
}

#[test]
fn a_held_request_arrives_after_its_client_has_gone() {
    let echo = Echo::start();
    let proxy = Proxy::start(echo.address, Duration::ZERO).unwrap();
    let (stream, other) = (connect(proxy.address()), connect(proxy.address()));
    proxy.arm(b"COMMIT", Fault::HoldRequests);
    say(&stream, b"BEGIN; COMMIT; ");
    hear(&stream, b"BEGIN; ");
    hear_nothing(&stream);
    drop(stream);
    say(&other, b"COMMIT?");
    hear(&other, b"COMMIT?");
    assert!(echo.has_heard(b"BEGIN; COMMIT?"));
    assert_eq!(proxy.connections(), 2);
    proxy.heal();
    wait_until(SOON, "the request", || echo.has_heard(b"COMMIT; ").then_some(())).unwrap();
    wait_until(SOON, "the end", || (proxy.connections() == 1).then_some(())).unwrap();
}

#[test]
fn a_black_hole_gives_back_what_was_held_and_not_what_was_dropped() {
    let echo = Echo::start();
    let proxy = Proxy::start(echo.address, Duration::from_millis(1)).unwrap();
    let stream = connect(proxy.address());
    proxy.requests(Flow::Hold);
    say(&stream, b"one");
    hear_nothing(&stream);
    assert!(!echo.has_heard(b"one"));
    proxy.requests(Flow::Pass);
    hear(&stream, b"one");

    proxy.answers(Flow::Drop);
    say(&stream, b"two");
    hear_nothing(&stream);
    assert!(echo.has_heard(b"two"));
    proxy.answers(Flow::Hold);
    say(&stream, b"three");
    hear_nothing(&stream);
    assert!(echo.has_heard(b"three"));
    proxy.heal();
    hear(&stream, b"three");
}

#[test]
fn cut_connections_are_reset_and_new_ones_refused_until_taken_again() {
    let echo = Echo::start();
    let proxy = Proxy::start(echo.address, Duration::from_millis(1)).unwrap();
    let stream = connect(proxy.address());
    say(&stream, b"one");
    hear(&stream, b"one");
    proxy.refuse();
    assert_eq!(TcpStream::connect(proxy.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    say(&stream, b"two");
    hear(&stream, b"two");
    proxy.cut();
    assert_eq!((&stream).read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    proxy.accept().unwrap();
    let stream = connect(proxy.address());
    say(&stream, b"three");
    hear(&stream, b"three");
}

#[test]
fn a_server_that_is_not_there_hangs_up() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::start(nobody, Duration::from_millis(1)).unwrap();
    let stream = connect(proxy.address());
    assert_eq!((&stream).read(&mut [0; 1]).unwrap_or(0), 0);
    drop(stream);
    wait_until(SOON, "the connection's end", || (proxy.connections() == 0).then_some(())).unwrap();
    drop(proxy);
}
