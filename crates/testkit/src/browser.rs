//! Debian's Chromium, driven over WebDriver.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lastseat_scratch::{Process, tool, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;
use thirtyfour::{
    BrowserCapabilitiesHelper, ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver,
};

use crate::paths::target_dir;

/// How long chromedriver may take until it listens.
const DRIVER_DEADLINE: Duration = Duration::from_secs(30);

/// How long to wait until a killed browser is gone.
const KILL_DEADLINE: Duration = Duration::from_secs(5);

/// How chromedriver says on which port it listens.
const DRIVER_READY: &str = "started successfully on port ";

/// How a session looks at the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// A phone of 390 by 844 CSS pixels, with touch.
    Phone,
    /// A window of 1280 by 900 pixels.
    Desktop,
}

/// Which colours the person prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// `prefers-color-scheme: light`
    Light,
    /// `prefers-color-scheme: dark`
    Dark,
}

/// A running chromedriver, from which any number of independent sessions can be opened.
///
/// It ends when it and all of its sessions are dropped.
#[derive(Debug)]
pub struct Browser {
    driver: Arc<Driver>,
}

#[derive(Debug)]
struct Driver {
    url: String,
    chromium: PathBuf,
    // Only kept so that it lives as long as its sessions.
    _process: Process,
    // Last, so that the directory goes when nobody uses it any more.
    temporary: TempDir,
}

impl Browser {
    /// Starts chromedriver. `LASTSEAT_TEST_CHROMEDRIVER` and `LASTSEAT_TEST_CHROMIUM` name other programs than those on
    /// the search path.
    ///
    /// # Errors
    /// When chromedriver or Chromium is not installed, or does not start.
    pub fn start() -> anyhow::Result<Self> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let chromium = tool("LASTSEAT_TEST_CHROMIUM", &names, "chromium")?;
        let driver = tool("LASTSEAT_TEST_CHROMEDRIVER", &["chromedriver"], "chromium-driver")?;
        let mut command = Command::new(driver);
        let temporary = tempfile::Builder::new().prefix("lastseat-chromium-").tempdir()?;
        // Chromium, when killed, leaves its temporary files behind; here they go with ours.
        command.arg("--port=0").env("TMPDIR", temporary.path());
        let mut process = Process::spawn("chromedriver", command)?;
        let port: u16 = process.wait_ready(DRIVER_DEADLINE, |process| {
            let stdout = process.stdout();
            let (_, rest) = stdout.split_once(DRIVER_READY)?;
            rest.split_once('.').and_then(|(port, _)| port.parse().ok())
        })?;
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self { driver: Arc::new(Driver { url, chromium, _process: process, temporary }) })
    }

    /// Opens a browser of its own, with its own profile: another person, as far as cookies and storage go.
    ///
    /// # Errors
    /// When Chromium does not start.
    pub async fn session(&self, window: Window, theme: Theme) -> anyhow::Result<Session> {
        let profile = tempfile::Builder::new().prefix("profile-").tempdir_in(&self.driver.temporary)?;
        let mut caps = DesiredCapabilities::chrome();
        caps.set_binary(&self.driver.chromium.to_string_lossy())?;
        caps.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        for arg in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--no-proxy-server",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,900",
        ] {
            caps.add_arg(arg)?;
        }
        caps.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        if window == Window::Phone {
            let metrics =
                json!({ "width": 390, "height": 844, "pixelRatio": 2.0, "touch": true, "mobile": true });
            caps.set_browser_option("mobileEmulation", json!({ "deviceMetrics": metrics }))?;
        }
        let client = reqwest::Client::builder().no_proxy().build()?;
        let connected = WebDriver::builder(&self.driver.url, caps).client(client).connect().await;
        // From here on the drop of the session stops what was started.
        let mut session = Session { webdriver: None, profile, _driver: Arc::clone(&self.driver) };
        let webdriver = session.webdriver.insert(connected.context("cannot open a browser session")?);
        let scheme = if theme == Theme::Dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        webdriver.cdp().send_raw("Emulation.setEmulatedMedia", features).await?;
        Ok(session)
    }
}

/// One person's browser; use it as a [`WebDriver`]. Dropping it kills it.
#[derive(Debug)]
pub struct Session {
    webdriver: Option<WebDriver>,
    profile: TempDir,
    _driver: Arc<Driver>,
}

impl Session {
    /// The browser's profile directory, which is removed with the session.
    #[must_use]
    pub fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// Saves what the page looks like as `target/screenshots/NAME.png`, and gives the path.
    ///
    /// # Errors
    /// When the browser gives no picture, or it cannot be written.
    pub async fn picture(&self, name: &str) -> anyhow::Result<PathBuf> {
        let dir = target_dir()?.join("screenshots");
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let path = dir.join(format!("{name}.png"));
        self.screenshot(&path).await?;
        Ok(path)
    }

    /// What the page has complained about in its console since the last call: errors of scripts, of policies, of
    /// requests.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn console_errors(&self) -> anyhow::Result<Vec<String>> {
        let entries = self.browser_log().await?;
        Ok(entries.into_iter().filter(|entry| entry.level == "SEVERE").map(|entry| entry.message).collect())
    }
}

impl Deref for Session {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        self.webdriver.as_ref().expect("it is set from the opening to the drop")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(webdriver) = self.webdriver.take() {
            // Its own goodbye would block the async runtime; the browser is killed below instead.
            let _ = webdriver.leak();
        }
        // The directory can go only when nobody writes to it any more.
        let _ = wait_until(KILL_DEADLINE, "Chromium to be gone", || {
            (kill_users_of(self.profile.path()) == 0).then_some(())
        });
    }
}

/// Kills the processes that name this profile, which nobody but this session has, on their command line; gives how
/// many there were.
fn kill_users_of(profile: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir("/proc") else { return 0 };
    let mut found = 0;
    let own = std::process::id();
    for entry in entries.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let command_line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let named = String::from_utf8_lossy(&command_line).contains(&*profile.to_string_lossy());
        if named
            && id != own
            && let Some(id) = i32::try_from(id).ok().and_then(Pid::from_raw)
        {
            found += 1;
            // It may have ended by itself meanwhile.
            let _ = kill_process(id, Signal::KILL);
        }
    }
    found
}
