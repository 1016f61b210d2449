//! The real server in a process of its own.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use lastseat_bench::load::{Address, PLACEHOLDER, Template};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::lab::Lab;

/// What the server prints when it is ready, before its address.
const READY: &str = "listening on ";
/// What it logs goes there, in its data directory.
const LOG: &str = "server.log";
/// How long it may take to stop.
const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// A running `lastseat serve`.
pub(crate) struct Server {
    child: Child,
    url: String,
    key: String,
    started_in: Duration,
}

impl Server {
    /// Starts it on the data in `dir`, with more arguments, and waits until it listens.
    pub(crate) fn start(dir: &Path, more: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("lastseat");
        if !program.is_file() {
            bail!(
                "there is no {}; build it with `cargo build --release -p lastseat-server`",
                program.display()
            );
        }
        let mut command = Command::new(&program);
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LASTSEAT_"))
        {
            command.env_remove(name);
        }
        command.arg("serve").arg("--data").arg(dir).args(["--listen", "127.0.0.1:0", "--log-level", "warn"]);
        let begun = Instant::now();
        let log = dir.join(LOG);
        command.args(more).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut child = command.spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("its output is piped")?);
        let mut line = String::new();
        let url = loop {
            line.clear();
            if output.read_line(&mut line)? == 0 {
                let (status, said) = (child.wait()?, std::fs::read_to_string(&log)?);
                bail!("the server ended before it was ready, {status}; it said: {said}");
            }
            if let Some(url) = line.trim().strip_prefix(READY) {
                break url.to_owned();
            }
        };
        let started_in = begun.elapsed();
        // Whatever it says later must not fill the pipe.
        std::thread::spawn(move || output.read_to_end(&mut Vec::new()));
        let key = std::fs::read_to_string(dir.join("admin.key")).context("the server made no admin.key")?;
        Ok(Self { child, url, key: key.trim().to_owned(), started_in })
    }

    /// Where it listens.
    pub(crate) async fn address(&self) -> anyhow::Result<Address> {
        Ok(Address::resolve(&self.url).await?)
    }

    /// How long it took from its start until it listened.
    pub(crate) fn started_in(&self) -> Duration {
        self.started_in
    }

    /// Its resident memory, in megabytes.
    pub(crate) fn resident_mb(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024.0 / 1e6)
    }

    /// Processor time that it has used so far.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        processor_time(&self.child.id().to_string())
    }

    /// Makes a listing, and gives its id.
    pub(crate) fn listing(&self, lab: &Lab, form: &serde_json::Value) -> anyhow::Result<String> {
        lab.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build()?;
            let request = client.post(format!("{}/v1/listings", self.url)).bearer_auth(&self.key).json(form);
            let response = request.send().await?;
            let status = response.status();
            let body: serde_json::Value = response.json().await?;
            body["id"].as_str().map(str::to_owned).with_context(|| format!("{status}: {body}"))
        })
    }

    /// A booking of one unit by the public, each time another customer's.
    pub(crate) fn booking(
        &self,
        lab: &Lab,
        listing: &str,
        pool: &str,
    ) -> anyhow::Result<(Address, Template)> {
        let address = lab.block_on(self.address())?;
        let body = json!({
            "listing_id": listing,
            "lines": [{"pool": pool, "quantity": 1}],
            "customer": {
                "name": format!("Customer {PLACEHOLDER}"),
                "email": format!("customer-{PLACEHOLDER}@example.org"),
            },
        });
        let scope = format!("report-{:032x}", lastseat_engine::ids::bits());
        let template = Template::post(&address, "/v1/bookings", None, &scope, &body.to_string());
        Ok((address, template))
    }
}

/// Processor time that a process has used so far, all its threads together; `self` is this one.
pub(crate) fn processor_time(process: &str) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program, in parentheses, may contain anything; user and system time are the 12th and 13th field
    // after it (proc_pid_stat(5)), in clock ticks.
    let fields = stat.rsplit_once(')').context("a stat has a name")?.1;
    let mut ticks = 0;
    for field in fields.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<u64>()?;
    }
    Ok(Duration::from_secs(ticks) / u32::try_from(rustix::param::clock_ticks_per_second())?)
}

impl Drop for Server {
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // If it cannot be asked to stop it has stopped.
        let _ = id.map(|id| kill_process(id, Signal::TERM));
        let begun = Instant::now();
        while begun.elapsed() < STOP_DEADLINE && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
