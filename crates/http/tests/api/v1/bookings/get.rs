use crate::support::{Ask, Server, booking, places};

#[tokio::test]
async fn a_booking_is_shown_to_its_owner_its_maker_and_operators() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.post("/v1/bookings", &booking(&listing)).key(&server.integrator).ask().await.ok(201);
    let path = format!("/v1/bookings/{}", made.id());
    for ask in [
        server.get(&path).token(&made.token()),
        server.get(&format!("{path}?token={}", made.token())),
        server.get(&path).key(&server.operator),
        server.get(&path).key(&server.integrator),
    ] {
        let shown = ask.ask().await.ok(200);
        let mut expected = made.json.clone();
        expected.as_object_mut().unwrap().remove("token");
        assert_eq!(shown.json, expected);
        assert_eq!(shown.header("etag"), "\"1\"");
    }
    let seen = server.get(&path).key(&server.operator).header("if-none-match", "\"1\"").ask().await;
    assert_eq!((seen.status.as_u16(), seen.text.as_str()), (304, ""));
}

#[tokio::test]
async fn somebody_elses_booking_is_not_there() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let (mine, theirs) = (server.book(&listing).await, server.book(&listing).await);
    let path = format!("/v1/bookings/{}", theirs.id());
    server.get(&path).ask().await.problem(401, "unauthenticated");
    server.get(&path).key("wrong").ask().await.problem(401, "unauthenticated");
    server.get(&path).token(&theirs.token()).key("wrong").ask().await.problem(401, "unauthenticated");
    server.get(&path).token(&mine.token()).ask().await.problem(404, "not_found");
    server.get(&path).token("").ask().await.problem(404, "not_found");
    server.get(&path).key(&server.integrator).ask().await.problem(404, "not_found");
    for id in ["bkg_01h455vb4pex5vsknk084sn02q", "nonsense", "%00", "..%2f"] {
        let path = format!("/v1/bookings/{id}");
        server.get(&path).ask().await.problem(401, "unauthenticated");
        server.get(&path).key(&server.operator).ask().await.problem(404, "not_found");
    }
}
