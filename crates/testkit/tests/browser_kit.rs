//! Sessions of the real Chromium: what the pages see of the window and the theme.

use std::time::Duration;

use lastseat_testkit::{Browser, Theme, Window, wait_until};

const PAGE: &str = "data:text/html,<!doctype html><meta name=viewport content='width=device-width'>\
    <title>A page</title><p>Two seats left</p><script>console.error('a complaint')</script>";

const LOOK: &str = "return [innerWidth, matchMedia('(prefers-color-scheme: dark)').matches, \
    matchMedia('(pointer: coarse)').matches]";

#[tokio::test]
async fn browser_sessions_differ_in_window_theme_and_storage() {
    let browser = Browser::start().unwrap();
    let phone = browser.session(Window::Phone, Theme::Dark).await.unwrap();
    let desktop = browser.session(Window::Desktop, Theme::Light).await.unwrap();

    phone.goto(PAGE).await.unwrap();
    desktop.goto(PAGE).await.unwrap();

    let seen: (u32, bool, bool) = phone.execute(LOOK, vec![]).await.unwrap().convert().unwrap();
    assert_eq!(seen, (390, true, true));
    let seen: (u32, bool, bool) = desktop.execute(LOOK, vec![]).await.unwrap().convert().unwrap();
    assert_eq!(seen, (1280, false, false));
    let errors = phone.console_errors().await.unwrap();
    assert!(errors.len() == 1 && errors[0].contains("a complaint"), "{errors:?}");
    let picture = std::fs::read(phone.picture("testkit-phone-dark").await.unwrap()).unwrap();
    assert!(picture.starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn browser_processes_end_with_the_session() {
    let browser = Browser::start().unwrap();
    let session = browser.session(Window::Desktop, Theme::Light).await.unwrap();
    let profile = session.profile().to_owned();
    let running = || {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        lines.filter(|line| String::from_utf8_lossy(line).contains(&*profile.to_string_lossy())).count()
    };
    assert!(running() > 0);
    drop(session);
    wait_until(Duration::from_secs(5), "Chromium to be gone", || (running() == 0).then_some(())).unwrap();
    assert!(!profile.exists());
}
