//! The pages in Chromium, on the real server: what people do, and what they see happen by itself.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

use std::time::Duration;

use lastseat_testkit::thirtyfour::prelude::*;
use lastseat_testkit::{Browser, Session, TestServer, Theme, Window, http_client, wait_until_async};
use serde_json::{Value, json};

/// How long something may take to show by itself.
const SOON: Duration = Duration::from_secs(10);

/// Makes a listing, and gives the address of its page.
async fn listing(server: &TestServer, spec: &Value) -> String {
    let key = server.admin_key().unwrap();
    let request = http_client().unwrap().post(server.url("/v1/listings")).bearer_auth(key).json(spec);
    let made: Value = request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap();
    server.url(&format!("/listings/{}", made["id"].as_str().unwrap()))
}

fn gig() -> Value {
    json!({
        "kind": "places", "category": "gig", "title": "Warehouse night shift", "city": "Tashkent", "venue": "Depot 4",
        "timezone": "Asia/Tashkent", "currency": "UZS", "starts_at": "2090-12-24T17:00:00Z",
        "pools": [{"key": "standard", "title": "Worker", "capacity": 3, "price": 2_500_000}],
        "policy": {"payment": ["receipt"], "payment_instructions": "Card 8600", "max_quantity": 1}
    })
}

fn hall() -> Value {
    json!({
        "kind": "seats", "title": "Hall", "timezone": "Europe/Berlin", "currency": "EUR",
        "starts_at": "2090-12-24T17:00:00Z",
        "seating": {
            "plan": lastseat_core::seating::sample_plan(6, 8),
            "prices": {"Front": 4500, "Stalls": 3000, "Balcony": 2000}
        },
        "policy": {"payment": ["receipt"], "max_quantity": 4}
    })
}

/// What an element says; nothing while it is not there.
async fn text(session: &Session, css: &str) -> String {
    let script = "return document.querySelector(arguments[0])?.textContent ?? ''";
    session.execute(script, vec![json!(css)]).await.unwrap().convert().unwrap()
}

/// Waits until an element says this.
async fn sees(session: &Session, css: &str, wanted: &str) {
    let what = format!("{css} to say {wanted:?}");
    let look = async || text(session, css).await.contains(wanted).then_some(());
    if let Err(error) = wait_until_async(SOON, &what, look).await {
        let picture = session.picture("browser-failed").await.unwrap();
        panic!("{error}; it says {:?}; see {}", text(session, css).await, picture.display());
    }
}

async fn click(session: &Session, css: &str) {
    session.find(By::Css(css)).await.unwrap().click().await.unwrap();
}

async fn write(session: &Session, css: &str, text: &str) {
    session.find(By::Css(css)).await.unwrap().send_keys(text).await.unwrap();
}

/// Nothing in the console: no failed script, nothing that the content policy had to stop.
async fn assert_quiet(session: &Session) {
    let errors = session.console_errors().await.unwrap();
    let errors: Vec<_> = errors.iter().filter(|error| !error.contains("Failed to load resource")).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_shows_confirmed_by_itself_when_the_receipt_is_approved() {
    let server = TestServer::start().unwrap();
    let address = listing(&server, &gig()).await;
    let browser = Browser::start().unwrap();
    let customer = browser.session(Window::Phone, Theme::Dark).await.unwrap();
    let operator = browser.session(Window::Desktop, Theme::Light).await.unwrap();

    customer.goto(&address).await.unwrap();
    customer.picture("listing-phone-dark").await.unwrap();
    write(&customer, "#name", "Dilnoza K.").await;
    write(&customer, "#email", "dilnoza@example.org").await;
    click(&customer, "#book button[type=submit]").await;
    sees(&customer, ".state-card h1", "Held for you").await;
    sees(&customer, ".clock time", "9:5").await;
    let receipt = customer.picture("held-phone-dark").await.unwrap();

    write(&customer, "#receipt", receipt.to_str().unwrap()).await;
    click(&customer, "form[data-upload] button[type=submit]").await;
    sees(&customer, ".state-card h1", "Your receipt is being checked").await;

    operator.goto(server.url("/admin/review")).await.unwrap();
    write(&operator, "#key", &server.admin_key().unwrap()).await;
    click(&operator, "main button[type=submit]").await;
    sees(&operator, "main", "Dilnoza K.").await;
    let shown = "return document.querySelector('.proof img')?.naturalWidth ?? 0";
    let width: u32 = operator.execute(shown, vec![]).await.unwrap().convert().unwrap();
    assert!(width > 100, "the receipt is shown, {width} pixels wide");
    operator.picture("review-desktop-light").await.unwrap();
    click(&operator, ".verdict form button").await;
    sees(&operator, "main", "Approved").await;

    // Nobody touches the customer's page.
    sees(&customer, ".state-card h1", "Confirmed").await;
    customer.picture("confirmed-phone-dark").await.unwrap();
    assert!(customer.title().await.unwrap().starts_with("Confirmed"));
    assert_quiet(&customer).await;
    assert_quiet(&operator).await;
    drop((customer, operator));
    server.verify().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_gives_the_one_seat_that_two_want_to_one_and_tells_the_other() {
    let server = TestServer::start().unwrap();
    let address = listing(&server, &hall()).await;
    let browser = Browser::start().unwrap();
    let anna = browser.session(Window::Desktop, Theme::Light).await.unwrap();
    let ben = browser.session(Window::Desktop, Theme::Dark).await.unwrap();

    // Ben's page hears nothing of what happens meanwhile, as if it had happened in the same moment.
    ben.cdp().send_raw("Network.enable", json!({})).await.unwrap();
    ben.cdp().send_raw("Network.setBlockedURLs", json!({"urls": ["*/live"]})).await.unwrap();
    for (session, name) in [(&anna, "Anna"), (&ben, "Ben")] {
        session.goto(&address).await.unwrap();
        click(session, "label.seat[data-pool='A-4'] input").await;
        sees(session, "[data-sum]", "45 EUR").await;
        write(session, "#name", name).await;
    }
    click(&ben, "label.seat[data-pool='A-5'] input").await;
    sees(&ben, "[data-sum]", "2 seats").await;

    click(&anna, "#book button[type=submit]").await;
    sees(&anna, ".state-card h1", "Held for you").await;
    click(&ben, "#book button[type=submit]").await;
    sees(&ben, "#trouble", "Somebody was faster").await;
    sees(&ben, "#trouble", "Stalls A-4: it is gone").await;
    ben.picture("seat-gone-desktop-dark").await.unwrap();

    // What Ben typed and the other seat are still there: one press, and that seat is his.
    sees(&ben, "[data-sum]", "1 seat").await;
    click(&ben, "#book button[type=submit]").await;
    sees(&ben, ".state-card h1", "Held for you").await;
    sees(&ben, ".items", "Stalls A-5").await;
    assert_quiet(&anna).await;
    drop((anna, ben));
    server.verify().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_shows_what_others_take_while_one_looks() {
    let server = TestServer::start().unwrap();
    let (seats, places) = (listing(&server, &hall()).await, listing(&server, &gig()).await);
    let browser = Browser::start().unwrap();
    let watcher = browser.session(Window::Phone, Theme::Light).await.unwrap();

    watcher.goto(&seats).await.unwrap();
    sees(&watcher, "[data-live-state]", "Live").await;
    click(&watcher, "label.seat[data-pool='B-4'] input").await;
    book(&server, &seats, "B-4").await;
    sees(&watcher, ".toast", "Row B, seat 4: somebody else has just taken it.").await;
    let state = "return document.querySelector('label.seat[data-pool=\"B-4\"]').className";
    let state: String = watcher.execute(state, vec![]).await.unwrap().convert().unwrap();
    assert!(state.contains("held") && !state.contains("free"), "{state}");

    watcher.goto(&places).await.unwrap();
    sees(&watcher, ".stock", "3 left").await;
    for (left, held) in [("2 left", "1 held"), ("1 left", "2 held"), ("None left right now", "3 held")] {
        book(&server, &places, "standard").await;
        sees(&watcher, ".stock", left).await;
        sees(&watcher, ".stock", held).await;
    }
    sees(&watcher, ".stock [data-part=next]", "the next hold lapses in 9:5").await;
    watcher.picture("all-held-phone-light").await.unwrap();
    assert_quiet(&watcher).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_shows_that_a_hold_has_lapsed_and_its_place_comes_back() {
    let server = TestServer::start().unwrap();
    let mut spec = gig();
    (spec["pools"][0]["capacity"], spec["policy"]["hold_seconds"]) = (1.into(), 4.into());
    let address = listing(&server, &spec).await;
    let browser = Browser::start().unwrap();
    let (first, second) = (
        browser.session(Window::Desktop, Theme::Light).await.unwrap(),
        browser.session(Window::Phone, Theme::Dark).await.unwrap(),
    );
    first.goto(&address).await.unwrap();
    write(&first, "#name", "Anna").await;
    click(&first, "#book button[type=submit]").await;
    sees(&first, ".state-card h1", "Held for you").await;
    second.goto(&address).await.unwrap();
    sees(&first, ".state-card h1", "The time to pay has run out").await;
    // Whoever found it sold out is offered the form again, and gets the place.
    sees(&second, "#book-title", "Your booking").await;
    write(&second, "#name", "Ben").await;
    click(&second, "#book button[type=submit]").await;
    sees(&second, ".state-card h1", "Held for you").await;
    assert_quiet(&first).await;
    assert_quiet(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_shows_new_times_of_a_booking_by_itself() {
    let server = TestServer::start().unwrap();
    let address = listing(&server, &gig()).await;
    let browser = Browser::start().unwrap();
    let customer = browser.session(Window::Phone, Theme::Light).await.unwrap();
    customer.goto(&address).await.unwrap();
    write(&customer, "#name", "Dilnoza K.").await;
    click(&customer, "#book button[type=submit]").await;
    sees(&customer, ".ticket-top", "22:00").await;
    let edit = http_client().unwrap().patch(address.replace("/listings/", "/v1/listings/"));
    let edit =
        edit.bearer_auth(server.admin_key().unwrap()).json(&json!({"starts_at": "2090-12-24T15:00:00Z"}));
    edit.send().await.unwrap().error_for_status().unwrap();
    sees(&customer, ".ticket-top", "20:00").await;
    assert_quiet(&customer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_books_a_stay_by_keyboard_alone() {
    let server = TestServer::start().unwrap();
    let address = listing(
        &server,
        &json!({
            "kind": "nights", "title": "Hotel", "timezone": "UTC", "currency": "EUR",
            "resources": [{"key": "double", "title": "Double room", "capacity": 4, "price": 9900}],
            "calendar": {"from": "2090-12-01", "until": "2091-01-15"}
        }),
    )
    .await;
    let browser = Browser::start().unwrap();
    let session = browser.session(Window::Desktop, Theme::Light).await.unwrap();
    session.goto(&address).await.unwrap();
    let press = async |keys: &[Key]| {
        for key in keys {
            session.active_element().await.unwrap().send_keys(key.value().to_string()).await.unwrap();
        }
    };
    // One stop for the tab key, arrows inside: from the 1st down a week and one to the right is the 9th.
    session.execute("document.querySelector('.month [tabindex=\"0\"]').focus()", vec![]).await.unwrap();
    press(&[Key::Down, Key::Right, Key::Enter]).await;
    sees(&session, "#summary", "Sat 9 Dec 2090").await;
    // The focus is where it was: three days on is the day of leaving.
    let focus = "return document.activeElement.getAttribute('aria-label') ?? ''";
    let focus: String = session.execute(focus, vec![]).await.unwrap().convert().unwrap();
    assert!(focus.starts_with("Sat 9 Dec 2090"), "{focus}");
    press(&[Key::Right, Key::Down, Key::Enter]).await;
    sees(&session, "#summary", "8 nights").await;
    sees(&session, "#summary", "792 EUR").await;
    write(&session, "#name", "Anna").await;
    press(&[Key::Enter]).await;
    sees(&session, ".state-card h1", "Confirmed").await;
    sees(&session, ".items", "Sat 9 Dec 2090 – Sun 17 Dec 2090, 8 nights").await;
    assert_quiet(&session).await;
}

/// Pictures in both themes.
async fn pictures(session: &Session, name: &str) {
    for theme in ["light", "dark"] {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        session.cdp().send_raw("Emulation.setEmulatedMedia", features).await.unwrap();
        // Colours of buttons do not change at once.
        tokio::time::sleep(Duration::from_millis(200)).await;
        session.picture(&format!("{name}-{theme}")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_turns_a_place_in_line_into_the_hold_by_itself() {
    let server = TestServer::start().unwrap();
    let mut spec = gig();
    spec["pools"][0]["capacity"] = 1.into();
    let address = listing(&server, &spec).await;
    let browser = Browser::start().unwrap();
    let ben = browser.session(Window::Desktop, Theme::Light).await.unwrap();
    let anna = browser.session(Window::Phone, Theme::Dark).await.unwrap();
    let clara = browser.session(Window::Desktop, Theme::Light).await.unwrap();

    ben.goto(&address).await.unwrap();
    write(&ben, "#name", "Ben").await;
    click(&ben, "#book button[type=submit]").await;
    sees(&ben, ".state-card h1", "Held for you").await;

    for (session, name, place) in [(&anna, "Anna", "phone"), (&clara, "Clara", "desktop")] {
        // What is shown as left may be a moment behind.
        let look = async || {
            session.goto(&address).await.unwrap();
            text(session, "#wait h2").await.contains("Join the waitlist").then_some(())
        };
        wait_until_async(SOON, "the listing to be sold out", look).await.unwrap();
        write(session, "#name", name).await;
        pictures(session, &format!("waitlist-join-{place}")).await;
    }
    click(&anna, "#wait button[type=submit]").await;
    sees(&clara, "[data-waiting]", "1 person waits already.").await;
    click(&clara, "#wait button[type=submit]").await;
    sees(&anna, ".state-card h1", "You are next").await;
    sees(&clara, ".state-card h1", "You are in line").await;
    sees(&clara, "[data-live-state]", "Live").await;
    pictures(&anna, "waitlist-place-phone").await;
    pictures(&clara, "waitlist-place-desktop").await;

    // One cancels. Nobody touches the other two pages.
    click(&ben, "a.btn.danger").await;
    sees(&ben, "main h1", "Cancel this booking?").await;
    click(&ben, "main button[type=submit]").await;
    sees(&ben, ".state-card h1", "Cancelled").await;
    sees(&anna, ".state-card h1", "Held for you").await;
    sees(&anna, ".state-card", "now it is your turn").await;
    sees(&anna, ".clock time", "9:5").await;
    assert!(anna.current_url().await.unwrap().path().starts_with("/bookings/"));
    sees(&clara, ".state-card h1", "You are next").await;
    sees(&clara, ".clock", "nobody is ahead of you").await;
    pictures(&anna, "waitlist-offer-phone").await;

    // She does not want it any more: it goes on to the next, whose page becomes a booking, too.
    click(&anna, "a.btn.danger").await;
    sees(&anna, "main h1", "Cancel this booking?").await;
    click(&anna, "main button[type=submit]").await;
    sees(&clara, ".state-card h1", "Held for you").await;
    sees(&clara, ".clock time", "9:5").await;
    pictures(&clara, "waitlist-offer-desktop").await;
    for session in [&ben, &anna, &clara] {
        assert_quiet(session).await;
    }
    drop((ben, anna, clara));
    server.verify().unwrap();
}

/// Books one unit of a pool, for somebody who has no page open: the id of the booking.
async fn book(server: &TestServer, address: &str, pool: &str) -> String {
    let id = address.rsplit('/').next().unwrap();
    let lines = json!([{"pool": pool, "quantity": 1}]);
    let body = json!({"listing_id": id, "lines": lines, "customer": {"name": "Somebody"}});
    let answer = http_client().unwrap().post(server.url("/v1/bookings")).json(&body).send().await.unwrap();
    let booked: Value = answer.error_for_status().unwrap().json().await.unwrap();
    booked["id"].as_str().unwrap().to_owned()
}

async fn scroll_to(session: &Session, css: &str) {
    let script = "document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })";
    session.execute(script, vec![json!(css)]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_shows_by_itself_that_an_operator_has_removed_somebody_from_the_waitlist() {
    let server = TestServer::start().unwrap();
    let mut spec = gig();
    spec["pools"][0]["capacity"] = 1.into();
    let address = listing(&server, &spec).await;
    let booked = book(&server, &address, "standard").await;
    let browser = Browser::start().unwrap();
    let anna = browser.session(Window::Phone, Theme::Light).await.unwrap();
    let clara = browser.session(Window::Desktop, Theme::Light).await.unwrap();
    for (session, name, place) in [(&anna, "Anna", "phone"), (&clara, "Clara", "desktop")] {
        let look = async || {
            session.goto(&address).await.unwrap();
            text(session, "#wait h2").await.contains("Join the waitlist").then_some(())
        };
        wait_until_async(SOON, "the listing to be sold out", look).await.unwrap();
        write(session, "#name", name).await;
        click(session, ".fold summary").await;
        // How a date is typed depends on the language of the browser.
        session.execute("document.querySelector('#until').value = '2090-12-23'", vec![]).await.unwrap();
        scroll_to(session, ".fold").await;
        pictures(session, &format!("waitlist-until-{place}")).await;
        click(session, "#wait button[type=submit]").await;
        sees(session, ".facts", "the end of Sat 23 Dec 2090").await;
        pictures(session, &format!("waitlist-until-place-{place}")).await;
    }

    let (desk, pocket) = (
        browser.session(Window::Desktop, Theme::Light).await.unwrap(),
        browser.session(Window::Phone, Theme::Light).await.unwrap(),
    );
    for (session, place) in [(&pocket, "phone"), (&desk, "desktop")] {
        session.goto(address.replace("/listings/", "/admin/listings/") + "/waitlist").await.unwrap();
        write(session, "#key", &server.admin_key().unwrap()).await;
        click(session, "main button[type=submit]").await;
        sees(session, ".table", "Clara").await;
        pictures(session, &format!("waitlist-list-{place}")).await;
        click(session, ".table .btn.danger").await;
        sees(session, "main h1", "Remove from the waitlist?").await;
        pictures(session, &format!("waitlist-remove-{place}")).await;
    }
    click(&desk, "main form button[type=submit]").await;
    sees(&desk, ".flash", "Removed from the waitlist").await;
    pictures(&desk, "waitlist-removed-desktop").await;
    // Nobody touches her page.
    sees(&anna, ".state-card h1", "You wait no more").await;
    sees(&clara, ".state-card h1", "You are next").await;

    let cancel = http_client().unwrap().post(server.url(&format!("/v1/bookings/{booked}/cancel")));
    let cancel = cancel.bearer_auth(server.admin_key().unwrap()).json(&json!({}));
    cancel.send().await.unwrap().error_for_status().unwrap();
    sees(&clara, ".state-card h1", "Held for you").await;
    click(&pocket, ".crumb a").await;
    sees(&pocket, ".table", "Offered").await;
    pictures(&pocket, "waitlist-list-offered-phone").await;
    click(&pocket, ".table .btn.danger").await;
    sees(&pocket, "main", "the hold is cancelled").await;
    pictures(&pocket, "waitlist-remove-offered-phone").await;
    click(&pocket, "main form button[type=submit]").await;
    sees(&pocket, ".flash", "the hold is cancelled").await;
    sees(&clara, ".state-card h1", "Cancelled").await;
    for session in [&anna, &clara, &desk, &pocket] {
        assert_quiet(session).await;
    }
    drop((anna, clara, desk, pocket));
    server.verify().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_waits_for_one_seat_that_is_taken() {
    let server = TestServer::start().unwrap();
    let address = listing(&server, &hall()).await;
    for seat in ["A-4", "B-4", "D-2"] {
        book(&server, &address, seat).await;
    }
    let browser = Browser::start().unwrap();
    for (window, place) in [(Window::Phone, "phone"), (Window::Desktop, "desktop")] {
        let session = browser.session(window, Theme::Light).await.unwrap();
        let look = async || {
            session.goto(&address).await.unwrap();
            (text(&session, "#choose .fold option:nth-child(3)").await.contains("D-2")).then_some(())
        };
        wait_until_async(SOON, "the seats to be taken", look).await.unwrap();
        click(&session, "#choose .fold summary").await;
        scroll_to(&session, "#choose .fold").await;
        pictures(&session, &format!("waitlist-seat-{place}")).await;
        click(&session, "#choose .fold button").await;
        sees(&session, "#wait h2", "Join the waitlist").await;
        sees(&session, "#wait .wanted", "A-4").await;
        write(&session, "#name", "Anna").await;
        pictures(&session, &format!("waitlist-seat-join-{place}")).await;
        click(&session, "#wait button[type=submit]").await;
        sees(&session, ".ticket .items", "A-4").await;
        assert_quiet(&session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_looks_at_many_listings_one_after_the_other() {
    let server = TestServer::start().unwrap();
    let addresses = [listing(&server, &gig()).await, listing(&server, &gig()).await];
    let browser = Browser::start().unwrap();
    let session = browser.session(Window::Phone, Theme::Light).await.unwrap();
    // Pages that were left keep none of the browser's six connections.
    for address in addresses.iter().cycle().take(9) {
        tokio::time::timeout(SOON, session.goto(address)).await.expect("the page in time").unwrap();
        sees(&session, "[data-live-state]", "Live").await;
    }
    // Back on a page that the browser has kept, what is left goes on changing by itself.
    session.back().await.unwrap();
    sees(&session, ".stock", "3 left").await;
    book(&server, session.current_url().await.unwrap().path(), "standard").await;
    sees(&session, ".stock", "2 left").await;
    assert_quiet(&session).await;
}
