//! TCP ports for servers that are started for a while.

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use crate::private_dir::shared_dir;

/// Where the search starts. Below the range from which Linux draws the ports of outgoing connections (32768 and up), so
/// that no client, not even one that keeps trying to reach a server that is down, is ever given the server's port.
const FIRST_PORT: u16 = 20_000;

/// How many ports are searched.
const PORT_COUNT: u16 = 12_000;

/// The locks that keep the ports handed out by this process from this user's others, until it ends.
static TAKEN: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A port on 127.0.0.1 on which nobody listens and which no other process of this user is given while this process
/// lives. A server that is killed and started again can thus keep its address.
///
/// # Errors
/// When every port is taken, or the temporary directory cannot be written.
pub fn free_port() -> anyhow::Result<u16> {
    let dir = shared_dir("ports")?;
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Processes start their search at different places, so that they seldom ask for the same port.
    let start = u16::try_from(std::process::id() % u32::from(PORT_COUNT)).unwrap_or_default();
    for step in 0..PORT_COUNT {
        let port = FIRST_PORT + (start + step) % PORT_COUNT;
        let path = dir.join(port.to_string());
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        if lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            taken.push(lock);
            return Ok(port);
        }
    }
    anyhow::bail!("no free port from {FIRST_PORT} on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_out_twice() {
        let ports: Vec<u16> = (0..20).map(|_| free_port().unwrap()).collect();
        let distinct: std::collections::BTreeSet<u16> = ports.iter().copied().collect();
        assert_eq!(distinct.len(), ports.len());
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, ports[0])).is_ok());
    }
}
