//! A server that gives the same answer to everybody, in a process of its own: what an answer from memory is held against.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use axum::Router;
use axum::http::header::CONTENT_TYPE;

/// The flag with which this program becomes that server.
pub(crate) const FLAG: &str = "--constant-answer";

/// The running server. It ends when this is dropped.
pub(crate) struct Constant {
    child: Child,
    url: String,
}

impl Constant {
    /// Starts it, with an answer of so many bytes.
    pub(crate) fn start(bytes: usize) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(FLAG).arg(bytes.to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its output is piped")?).read_line(&mut line)?;
        Ok(Self { child, url: line.trim().to_owned() })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Constant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until the process is killed.
pub(crate) fn serve(bytes: usize) -> anyhow::Result<()> {
    let answer: &'static str = Box::leak("x".repeat(bytes).into_boxed_str());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let mut output = std::io::stdout();
        writeln!(output, "http://{}", listener.local_addr()?)?;
        output.flush()?;
        let everything =
            Router::new().fallback(move || async move { ([(CONTENT_TYPE, "application/json")], answer) });
        axum::serve(listener, everything).await?;
        Ok(())
    })
}
