//! Uploads that are no receipts, or too much of one.

use std::io::Write as _;

use lastseat_testkit::TestServer;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use crate::health::Healthy;
use crate::real::{Answer, Api, ask, booking, pdf, places, receipt};

const MIB: usize = 1024 * 1024;

async fn upload(api: &Api, held: &Answer, form: Form) -> Answer {
    let request = api.request(reqwest::Method::POST, &format!("/v1/bookings/{}/payment", held.id()));
    ask(request.multipart(form).header("booking-token", held.token())).await
}

/// A PNG that claims so many pixels, and is a few bytes.
fn png_bomb(width: u32, height: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8], data: &[u8]| {
        png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let body = [kind, data].concat();
        png.extend(&body);
        png.extend(crc32(&body).to_be_bytes());
    };
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    chunk(b"IHDR", &[&size[..], &[8, 6, 0, 0, 0]].concat());
    chunk(b"IDAT", &[0x78, 0x9c, 0x03, 0, 0, 0, 0, 1]);
    chunk(b"IEND", &[]);
    png
}

/// CRC-32 as PNG has it (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

/// A gigabyte of zeros as gzip would write it: stored in the few bytes of a run that repeats.
fn gzip_bomb() -> Vec<u8> {
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    bomb.extend(
        std::iter::repeat_n(
            [0xed, 0xc1, 0x01, 0x01, 0, 0, 0, 0x80, 0x90, 0xfe, 0xaf, 0xee, 0x08, 0x0a],
            50_000,
        )
        .flatten(),
    );
    bomb
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_receipt_is_invalid_whatever_it_is_called() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let held = api.book(&booking(&listing, "somebody")).await;
    let healthy = Healthy::beside(&api).await;
    let zip = [b"PK\x03\x04\x14\0\0\0\x08\0".as_slice(), &gzip_bomb()].concat();
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("a web page", b"<!doctype html><html><script>alert(1)</script></html>".to_vec()),
        ("a web page that ends like a PDF", b"<html>\n1 0 obj<<>>endobj\nstartxref\n0\n%%EOF\n".to_vec()),
        ("a drawing", b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".to_vec()),
        ("a zip bomb", zip),
        ("a gzip bomb", gzip_bomb()),
        ("a program", b"\x7fELF\x02\x01\x01\0".to_vec()),
        ("a picture of another type", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec()),
        ("a web page behind the head of a picture", b"\x89PNG\r\n\x1a\n<html></html>".to_vec()),
        ("a picture that breaks off", png_bomb(10, 10)[..40].to_vec()),
        ("a picture of four thousand million pixels a side", png_bomb(u32::MAX, u32::MAX)),
        ("a picture of 100,000 pixels a side", png_bomb(100_000, 100_000)),
        ("a PDF that breaks off", b"%PDF-1.4\n1 0 obj".to_vec()),
    ];
    for (what, bytes) in files {
        for (name, media_type) in [("receipt.png", "image/png"), ("../../receipt.pdf", "application/pdf")] {
            let form = receipt(bytes.clone(), name, media_type);
            upload(&api, &held, form).await.invalid(what, "receipt");
        }
    }
    healthy.was_served().await;
    let path = format!("/v1/bookings/{}", held.id());
    assert_eq!(ask(api.get(&path).bearer_auth(&api.admin)).await.json["state"], "held");
    upload(&api, &held, receipt(pdf("good"), "x", "text/html")).await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_of_a_receipt_cannot_run_in_a_browser() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let held = api.book(&booking(&listing, "somebody")).await;
    // A polyglot: a PDF for us, something else for who trusts its name.
    let form = receipt(pdf("<script>alert(1)</script>"), "receipt.html", "text/html");
    upload(&api, &held, form).await.ok(200);
    let shown =
        ask(api.get(&format!("/v1/bookings/{}/receipts/1", held.id())).bearer_auth(&api.admin)).await.ok(200);
    assert_eq!(shown.header("content-type"), "application/pdf");
    assert_eq!(shown.header("x-content-type-options"), "nosniff");
    assert!(shown.header("content-security-policy").contains("default-src 'none'"));
    assert!(shown.header("content-disposition").starts_with("attachment"));
}

#[tokio::test(flavor = "multi_thread")]
async fn eleven_mebibytes_are_too_large_declared_or_not() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let held = api.book(&booking(&listing, "somebody")).await;
    let healthy = Healthy::beside(&api).await;
    let big = || pdf(&"x".repeat(11 * MIB));
    upload(&api, &held, receipt(big(), "r.pdf", "application/pdf")).await.problem(
        "declared",
        413,
        "too_large",
    );
    // In chunks, without a length.
    let chunks: Vec<_> =
        big().chunks(64 * 1024).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let form = Form::new().part("receipt", Part::stream(body).file_name("r.pdf"));
    upload(&api, &held, form).await.problem("in chunks", 413, "too_large");
    // Twenty at once, and then some that fit.
    let many = (0..20).map(|_| upload(&api, &held, receipt(big(), "r.pdf", "application/pdf")));
    for answer in futures_util::future::join_all(many).await {
        assert!(matches!(answer.status.as_u16(), 413 | 503), "{}", answer.text);
    }
    healthy.was_served().await;
    upload(&api, &held, receipt(pdf(&"x".repeat(9 * MIB)), "r.pdf", "application/pdf")).await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_that_are_none_are_malformed_and_wrong_fields_are_named() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let held = api.book(&booking(&listing, "somebody")).await;
    let raw = async |kind: &str, body: &[u8]| {
        let request = api.request(reqwest::Method::POST, &format!("/v1/bookings/{}/payment", held.id()));
        let request = request.header("booking-token", held.token()).header("content-type", kind);
        ask(request.body(body.to_vec())).await
    };
    let kind = "multipart/form-data; boundary=b";
    raw("multipart/form-data", b"--b--\r\n").await.problem("no boundary", 400, "malformed");
    for body in [
        &b""[..],
        b"--b",
        b"nonsense",
        b"--b\r\n\r\nx",
        b"--b\r\ncontent-disposition: form-data; name=receipt\r\n\r\nx",
    ] {
        raw(kind, body).await.problem(&String::from_utf8_lossy(body), 400, "malformed");
    }
    raw("image/png", b"x").await.problem("a bare picture", 415, "unsupported_media_type");
    let none = Form::new().text("note", "paid");
    upload(&api, &held, none).await.invalid("no file", "receipt");
    let unknown = receipt(pdf("x"), "r", "application/pdf").text("amount", "7");
    upload(&api, &held, unknown).await.invalid("an unknown field", "amount");
    let twice = receipt(pdf("x"), "r", "application/pdf").part("receipt", Part::bytes(pdf("y")));
    upload(&api, &held, twice).await.invalid("two files", "receipt");
    let long = receipt(pdf("x"), "r", "application/pdf").text("note", "x".repeat(2_001));
    upload(&api, &held, long).await.invalid("a long note", "note");
    let cards = raw("application/json", br#"{"gift_cards": [{"code": "A", "pin": "1"}]}"#).await;
    cards.invalid("gift cards", "gift_cards");
}

/// An import is a stream: each line has its own answer, and the good ones are taken in.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_tells_of_each_bad_line_and_takes_the_good_ones() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(2)).await;
    let line = |id: &str| {
        let mut line = booking(&listing, id);
        line["state"] = "confirmed".into();
        line["paid"] = 2_500_000.into();
        line["external_id"] = id.into();
        line.to_string()
    };
    let mut lines = Vec::new();
    for text in
        [&line("a"), "{", "[]", "\u{0}", &line("a"), "{\"listing_id\": \"lst_x\"}", &line("b"), &line("c")]
    {
        writeln!(lines, "{text}").unwrap();
    }
    let request = api.request(reqwest::Method::POST, "/v1/bookings/import").bearer_auth(&api.admin);
    let answer = ask(request.header("content-type", "application/x-ndjson").body(lines)).await.ok(200);
    let told: Vec<(i64, String, String)> = answer
        .text
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            (line["line"].as_i64().unwrap(), text("status"), text("code"))
        })
        .collect();
    let told: Vec<_> =
        told.iter().map(|(line, status, code)| (*line, status.as_str(), code.as_str())).collect();
    assert_eq!(told[0], (1, "imported", ""));
    assert_eq!(told[1], (2, "refused", "malformed"));
    assert_eq!((told[2].1, told[3].1), ("refused", "refused"));
    assert_eq!(told[4], (5, "skipped", ""));
    assert_eq!(told[5].1, "refused");
    assert_eq!(told[6], (7, "imported", ""));
    assert_eq!(told[7], (8, "refused", "sold_out"));
    assert_eq!(api.stock(&listing).await, (0, 0, 2));
}
