//! `/`, and what all pages share.

use crate::html;
use crate::person::Person;
use crate::support::{Server, free_places, places};

#[tokio::test]
async fn what_can_be_booked_is_shown_with_what_is_left_and_what_it_costs() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    for _ in 0..7 {
        server.book(&listing).await;
    }
    let page = Person::new(&server).get("/").await.is(200);
    let page = page.says("Warehouse night shift").says("3 left").says("25,000 UZS");
    // The zone of the listing, not of the server.
    page.says("22:00, Tashkent time (UTC+5)");
}

#[tokio::test]
async fn a_search_narrows_down_what_is_shown() {
    let server = Server::start().await;
    server.listing(&places()).await;
    server.listing(&free_places(5)).await;
    let person = Person::new(&server);
    person.get("/?q=lecture").await.says("Open lecture").never_says("Warehouse");
    person.get("/?q=tashkent+depot").await.says("Nothing fits");
    person.get("/?city=Tashkent&kind=places&q=").await.says("Warehouse").never_says("Open lecture");
    person.get("/?kind=nights").await.says("Nothing fits");
    person.get("/?from=2091-01-01").await.says("Nothing fits");
    person.get("/?q=%FF&page=99999999999999999999").await.is(200);
}

#[tokio::test]
async fn only_published_listings_are_shown() {
    let server = Server::start().await;
    for status in ["draft", "closed", "cancelled"] {
        let mut spec = places();
        spec["status"] = status.into();
        let id = server.listing(&spec).await;
        let page = Person::new(&server).get(&format!("/listings/{id}")).await;
        assert_eq!(page.status == 404, status == "draft", "{status}");
    }
    Person::new(&server).get("/").await.says("Nothing is on sale yet");
}

#[tokio::test]
async fn what_organisers_and_customers_write_is_never_markup() {
    let server = Server::start().await;
    let evil = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&";
    let mut spec = places();
    for field in ["title", "description", "category", "city", "venue"] {
        spec[field] = evil.into();
    }
    spec["pools"][0]["title"] = evil.into();
    spec["policy"]["payment_instructions"] = evil.into();
    let id = server.listing(&spec).await;
    let person = Person::new(&server);
    let admin = Person::signed_in(&server, &server.admin).await;
    let page = person.get(&format!("/listings/{id}")).await;
    let form = page.form("/listings/").set("name", evil).set("email", "a@b").set("note", evil);
    let booked = person.send(form).await.is(200);
    let mine = booked.url.rsplit_once("/bookings/").unwrap().1.split('?').next().unwrap().to_owned();
    let pages = [
        person.get("/").await,
        page,
        booked,
        admin.get("/admin").await,
        admin.get(&format!("/admin/listings/{id}")).await,
        admin.get(&format!("/admin/listings/{id}/edit")).await,
        admin.get("/admin/bookings").await,
        admin.get(&format!("/admin/bookings/{mine}")).await,
    ];
    for page in pages {
        let tags = html::tags(&page.html);
        assert!(tags.iter().all(|tag| tag.name != "img" && !tag.has("onerror")), "{}", page.url);
        assert!(!page.html.contains("<script>"), "{}", page.url);
        page.says("<script>alert('x')</script>");
    }
}

#[tokio::test]
async fn no_page_needs_anything_inline_or_from_elsewhere() {
    let server = Server::start().await;
    let id = server.listing(&places()).await;
    let person = Person::signed_in(&server, &server.admin).await;
    for path in [
        "/",
        &format!("/listings/{id}"),
        "/admin",
        "/admin/keys",
        "/admin/listings/new?kind=slots",
        "/nowhere",
    ] {
        let page = person.get(path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{path}");
        for tag in html::tags(&page.html) {
            let inline = |(name, _): &(String, String)| name == "style" || name.starts_with("on");
            assert!(!tag.attributes.iter().any(inline), "{path}: {tag:?}");
            assert!(tag.name != "style", "{path}");
            if tag.name == "script" {
                assert!(tag.get("src").is_some_and(|src| src.starts_with("/assets/")), "{path}: {tag:?}");
            }
            for link in ["src", "href", "action"].into_iter().filter_map(|name| tag.get(name)) {
                assert!(link.starts_with(['/', '#']) && !link.starts_with("//"), "{path}: {link}");
            }
        }
    }
}

#[tokio::test]
async fn every_style_sheet_script_and_import_is_served() {
    let server = Server::start().await;
    let id = server.listing(&places()).await;
    let person = Person::signed_in(&server, &server.admin).await;
    let mut seen = 0;
    for path in ["/".to_owned(), format!("/listings/{id}"), "/admin/review".to_owned()] {
        let page = person.get(&path).await;
        for tag in html::tags(&page.html) {
            let Some(asset) = tag.get("src").or(tag.get("href")).filter(|link| link.starts_with("/assets/"))
            else {
                continue;
            };
            let file = person.get(asset).await.is(200);
            assert!(file.header("cache-control").contains("immutable"), "{asset}");
            if asset.ends_with(".js") {
                let folder = asset.rsplit_once('/').unwrap().0;
                for import in file.html.lines().filter_map(|line| line.split_once("\"./")) {
                    person.get(&format!("{folder}/{}", import.1.trim_end_matches("\";"))).await.is(200);
                }
            }
            seen += 1;
        }
    }
    assert!(seen > 8, "{seen}");
    person.get("/favicon.ico").await.is(200);
    person.get("/assets/0/../../Cargo.toml").await.is(404);
}

#[tokio::test]
async fn what_is_not_there_is_said_as_a_page_to_people_and_as_a_problem_to_programs() {
    let server = Server::start().await;
    let person = Person::new(&server);
    for path in
        ["/nowhere", "/listings/lst_x", "/listings/lst_01h455vb4pex5vsknk084sn02q", "/bookings/x/cancel"]
    {
        let page = person.get(path).await.is(404);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
    }
    let problem = server.get("/nowhere").send().await.unwrap();
    assert_eq!(problem.headers()["content-type"], "application/problem+json");
}
