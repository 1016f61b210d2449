use reqwest::Method;
use serde_json::json;

use crate::support::{Ask, Server};

#[tokio::test]
async fn a_key_is_made_shown_once_used_and_revoked() {
    let server = Server::start().await;
    let body = json!({"role": "operator", "name": "Front desk"});
    let create = || server.post("/v1/keys", &body).key(&server.admin).idempotent("k");
    let made = create().ask().await.ok(201);
    let secret = made.json["secret"].as_str().unwrap().to_owned();
    assert_eq!((&made.json["role"], &made.json["name"]), (&json!("operator"), &json!("Front desk")));
    let again = create().ask().await.ok(201);
    assert_eq!((&again.json["id"], &again.json["secret"]), (&made.json["id"], &json!(null)));
    server.get("/v1/bookings").key(&secret).ask().await.ok(200);
    let listed = server.get("/v1/keys").key(&server.admin).ask().await.ok(200);
    assert!(!listed.text.contains(&secret));
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 4);

    let path = format!("/v1/keys/{}", made.id());
    let delete = |key: &str| server.request(Method::DELETE, &path).key(key).ask();
    delete(&secret).await.problem(403, "forbidden");
    assert_eq!(delete(&server.admin).await.ok(204).text, "");
    delete(&server.admin).await.problem(404, "not_found");
    server.get("/v1/bookings").key(&secret).ask().await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn keys_are_for_admins() {
    let server = Server::start().await;
    let body = json!({"role": "admin", "name": "Me"});
    server.post("/v1/keys", &body).ask().await.problem(401, "unauthenticated");
    server.post("/v1/keys", &body).key(&server.operator).ask().await.problem(403, "forbidden");
    server.get("/v1/keys").key(&server.integrator).ask().await.problem(403, "forbidden");
    let post = |body| server.post("/v1/keys", &body).key(&server.admin).ask();
    post(json!({"role": "root", "name": "Me"})).await.invalid(&["role"]);
    post(json!({"role": "admin", "name": ""})).await.invalid(&["name"]);
    post(json!({"role": "admin"})).await.invalid(&["name"]);
}

#[tokio::test]
async fn pages_of_keys_follow_each_other() {
    let server = Server::start().await;
    let first = server.get("/v1/keys?limit=2").key(&server.admin).ask().await.ok(200);
    let cursor = first.json["next_cursor"].as_str().unwrap();
    let path = format!("/v1/keys?limit=2&cursor={cursor}");
    let second = server.get(&path).key(&server.admin).ask().await.ok(200);
    assert_eq!(second.json["items"].as_array().unwrap().len(), 1);
    assert!(second.json["next_cursor"].is_null());
}
