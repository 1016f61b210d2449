//! scratch
use lastseat_core::command::{Action, Actor, Command, NewKey, Role};
use lastseat_engine::{Engine, EngineConfig, ids};
use lastseat_http::receipts::ReceiptStore;
use lastseat_http::{AppState, HttpConfig, auth, serve};
use lastseat_store_sqlite::{OpenMode, SqliteStore};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn main() {
    let n: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(2000);
    let conns: usize = std::env::args().nth(2).and_then(|a| a.parse().ok()).unwrap_or(64);
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async move {
        let data = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(data.path(), OpenMode::Serve).unwrap();
        let engine = Engine::start(Arc::new(store), EngineConfig::default()).unwrap();
        let receipts = ReceiptStore::open_folder(data.path()).unwrap();
        let key = NewKey { id: ids::key_id(), role: Role::Admin, name: "a".into(), hash: auth::hash_secret("k") };
        engine.submit(Command::new(Actor::System, Action::CreateKey(Box::new(key)))).await.unwrap();
        let state = AppState::new(engine, receipts, HttpConfig::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let task = tokio::spawn(serve(listener, state.clone()));
        let body = r#"{"kind":"places","title":"x","timezone":"UTC","currency":"EUR","pools":[{"key":"standard","capacity":1000000,"price":100}],"policy":{"payment":["receipt"]}}"#;
        let mut s = tokio::net::TcpStream::connect(addr).await.unwrap();
        s.write_all(format!("POST /v1/listings HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
        let mut t = String::new();
        s.read_to_string(&mut t).await.unwrap();
        let at = t.find("\"id\":\"").unwrap() + 6;
        let id = t[at..at + 30].to_owned();
        let begun = std::time::Instant::now();
        let mut tasks = Vec::new();
        for c in 0..conns {
            let id = id.clone();
            tasks.push(tokio::spawn(async move {
                let mut s = tokio::net::TcpStream::connect(addr).await.unwrap();
                s.set_nodelay(true).unwrap();
                let mut buf = vec![0; 8192];
                for i in 0..n / conns {
                    let body = format!(r#"{{"listing_id":"{id}","lines":[{{"pool":"standard","quantity":1}}],"customer":{{"name":"Dilnoza K.","email":"d{c}-{i}@example.org"}}}}"#);
                    let req = format!("POST /v1/bookings HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nidempotency-key: k-{c}-{i}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                    s.write_all(req.as_bytes()).await.unwrap();
                    let k = s.read(&mut buf).await.unwrap();
                    assert!(buf[..k].starts_with(b"HTTP/1.1 201"), "{}", String::from_utf8_lossy(&buf[..k]));
                }
            }));
        }
        for t in tasks { t.await.unwrap(); }
        eprintln!("{} per s", n as f64 / begun.elapsed().as_secs_f64());
        state.closing.cancel();
        task.await.unwrap().unwrap();
        state.engine.drain().await;
    });
}
