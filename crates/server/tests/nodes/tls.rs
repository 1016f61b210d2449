//! TLS between the nodes and PostgreSQL.

use std::path::{Path, PathBuf};

use lastseat_testkit::{Authority, Certificate, Postgres, PostgresBuilder, lastseat_command};
use serde_json::Value;

use crate::real::{ask, booking, pdf, places, receipt};
use crate::shop::{DATABASE, api, node};

/// For every connection of a client: whether it is encrypted.
const ENCRYPTED: &str = "SELECT bool_and(ssl)::text, bool_or(ssl)::text, (count(*) > 2)::text FROM pg_stat_ssl JOIN \
    pg_stat_activity USING (pid) WHERE application_name LIKE 'lastseat%'";

/// A PostgreSQL that shows this certificate.
fn with_certificate(certificate: &Certificate) -> PostgresBuilder {
    let server = Postgres::builder().set("ssl", "on");
    server.file("server.crt", &certificate.pem).file("server.key", &certificate.key)
}

/// A file with this text, in that directory.
fn file(dir: &Path, name: &str, text: &str) -> String {
    let path: PathBuf = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The database of a server by the name of its host.
fn by_name(postgres: &Postgres) -> String {
    postgres.url_of(DATABASE).replace("127.0.0.1", "localhost")
}

/// Whether `lastseat doctor` gets to a database, or what is in the way.
fn look(url: &str) -> Result<(), String> {
    let doctor =
        lastseat_command().unwrap().args(["doctor", "--json", "--database-url", url]).output().unwrap();
    if doctor.status.code() == Some(2) {
        return Err(String::from_utf8(doctor.stderr).unwrap());
    }
    let report: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let failed = checks.iter().find(|check| check["name"] == "database" && check["status"] == "failed");
    failed.map_or(Ok(()), |check| Err(check["detail"].as_str().unwrap().to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_speaks_tls_on_every_connection() {
    let (authority, dir) = (Authority::new().unwrap(), tempfile::tempdir().unwrap());
    let postgres = with_certificate(&authority.sign(&["localhost"]).unwrap()).start().unwrap();
    postgres.create_database(DATABASE).unwrap();
    let root = file(dir.path(), "root.pem", &authority.pem);
    let secret = format!("{}?sslmode=verify-full&sslrootcert={root}", by_name(&postgres));
    // Without a word TLS is spoken where the server offers it.
    for url in [secret, by_name(&postgres)] {
        let node = node(&url).start().unwrap();
        let api = api(&node);
        let listing = api.listing(&places(10)).await;
        let held = api.book(&booking(&listing, "somebody")).await;
        let request = api.request(reqwest::Method::POST, &format!("/v1/bookings/{}/payment", held.id()));
        let form = receipt(pdf("in secret"), "r", "application/pdf");
        ask(request.multipart(form).header("booking-token", held.token())).await.ok(200);
        let found = format!("{:?}", postgres.sql(DATABASE, ENCRYPTED).unwrap());
        assert!(found.contains("true") && !found.contains("false"), "{found}");
        node.verify().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tls_there_nothing_is_encrypted_unless_it_must_be() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.create_database(DATABASE).unwrap();
    let refused = look(&format!("{url}?sslmode=require")).unwrap_err();
    assert!(refused.contains("it speaks no TLS; set `ssl = on` there"), "{refused}");
    for url in [url.clone(), format!("{url}?sslmode=prefer"), format!("{url}?sslmode=disable")] {
        let _node = node(&url).start().unwrap();
        let found = format!("{:?}", postgres.sql(DATABASE, ENCRYPTED).unwrap());
        assert!(found.contains("false"), "{found}");
    }
    // A socket is not encrypted, and need not be.
    look(&format!("{}?sslmode=require", postgres.socket_url_of(DATABASE))).unwrap();
}

#[test]
fn where_tls_is_only_preferred_a_handshake_that_fails_is_no_end() {
    let authority = Authority::new().unwrap();
    let postgres = with_certificate(&authority.sign(&["localhost"]).unwrap())
        .set("ssl_min_protocol_version", "TLSv1")
        .set("ssl_max_protocol_version", "TLSv1.1")
        .start()
        .unwrap();
    let url = postgres.create_database(DATABASE).unwrap();
    assert_eq!(look(&url), Ok(()));
    let said = look(&format!("{url}?sslmode=require")).unwrap_err();
    assert!(said.contains("cannot speak TLS with PostgreSQL at"), "{said}");
}

#[test]
fn a_server_is_who_its_certificate_says_as_far_as_that_is_asked_for() {
    let (authority, dir) = (Authority::new().unwrap(), tempfile::tempdir().unwrap());
    let postgres = with_certificate(&authority.sign(&["localhost"]).unwrap()).start().unwrap();
    let by_number = postgres.create_database(DATABASE).unwrap();
    let by_name = by_name(&postgres);
    let right = file(dir.path(), "right.pem", &authority.pem);
    let wrong = file(dir.path(), "wrong.pem", &Authority::new().unwrap().pem);
    for good in [
        format!("{by_name}?sslmode=verify-full&sslrootcert={right}"),
        format!("{by_number}?sslmode=verify-ca&sslrootcert={right}"),
        format!("{by_number}?sslmode=require&sslrootcert={right}"),
        format!("{by_number}?sslmode=require"),
        format!("{by_number}?sslmode=require&channel_binding=require"),
        format!("{by_number}?sslmode=prefer"),
        by_number.clone(),
    ] {
        assert_eq!(look(&good), Ok(()), "{good}");
    }
    let unknown = "its certificate is not signed by an authority that sslrootcert names";
    for (bad, words) in [
        (
            format!("{by_number}?sslmode=verify-full&sslrootcert={right}"),
            "its certificate is for another host name",
        ),
        (format!("{by_name}?sslmode=verify-full&sslrootcert={wrong}"), unknown),
        (format!("{by_name}?sslmode=verify-ca&sslrootcert={wrong}"), unknown),
        (format!("{by_name}?sslmode=require&sslrootcert={wrong}"), unknown),
        (format!("{by_name}?sslmode=verify-full"), unknown),
        (format!("{by_name}?sslrootcert=system"), unknown),
    ] {
        let said = look(&bad).unwrap_err();
        assert!(
            said.contains("cannot speak TLS with PostgreSQL at") && said.contains(words),
            "{bad}: {said}"
        );
    }
}

#[test]
fn a_server_that_signs_its_own_certificate_is_known_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let own = Certificate::of_its_own(&["localhost"]).unwrap();
    let postgres = with_certificate(&own).start().unwrap();
    let by_number = postgres.create_database(DATABASE).unwrap();
    let by_name = by_name(&postgres);
    let right = file(dir.path(), "right.pem", &own.pem);
    let wrong = file(dir.path(), "wrong.pem", &Certificate::of_its_own(&["localhost"]).unwrap().pem);
    assert_eq!(look(&format!("{by_name}?sslmode=verify-full&sslrootcert={right}")), Ok(()));
    let said = look(&format!("{by_number}?sslmode=verify-full&sslrootcert={right}")).unwrap_err();
    assert!(said.contains("for another host name"), "{said}");
    look(&format!("{by_name}?sslmode=verify-full&sslrootcert={wrong}")).unwrap_err();
}

#[test]
fn a_client_shows_its_certificate_where_the_server_wants_one() {
    let (authority, dir) = (Authority::new().unwrap(), tempfile::tempdir().unwrap());
    let postgres = with_certificate(&authority.sign(&["localhost"]).unwrap())
        .file("clients.crt", &authority.pem)
        .set("ssl_ca_file", "clients.crt")
        .file(
            "pg_hba.conf",
            "local all all scram-sha-256\nhostssl all all all scram-sha-256 clientcert=verify-ca\n\
            hostnossl postgres all all scram-sha-256\n",
        )
        .start()
        .unwrap();
    let own = authority.sign(&["a-node"]).unwrap();
    let (certificate, key) = (file(dir.path(), "own.pem", &own.pem), file(dir.path(), "own.key", &own.key));
    let url = postgres.url();
    assert_eq!(look(&format!("{url}?sslmode=require&sslcert={certificate}&sslkey={key}")), Ok(()));
    look(&format!("{url}?sslmode=require")).unwrap_err();
    let other = file(dir.path(), "other.key", &authority.sign(&["other"]).unwrap().key);
    let said = look(&format!("{url}?sslmode=require&sslcert={certificate}&sslkey={other}")).unwrap_err();
    assert!(said.contains("do not go together"), "{said}");
}
