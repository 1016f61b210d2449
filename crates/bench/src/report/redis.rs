//! The baseline over the network: a Redis of our own that syncs every write, a Lua script that does what a booking
//! does, and Redis' own load generator.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use crate::lab::Lab;

/// Looks for a duplicate, looks whether something is left, takes one, and stores the reservation under its key.
const SCRIPT: &str = "if redis.call('EXISTS', KEYS[2]) == 1 then return 2 end \
    if tonumber(redis.call('GET', KEYS[1])) < 1 then return 0 end \
    redis.call('DECR', KEYS[1]) \
    redis.call('SET', KEYS[2], ARGV[1]) \
    return 1";
/// Key of the counter.
const COUNTER: &str = "pool";
/// What there is of it: enough.
const CAPACITY: &str = "1000000000";
/// A reservation, of about the size of ours.
const RESERVATION: &str = r#"{"state":"held","listing":"lst_01h455vb4pex5vsknk084sn02q","lines":[["pool-0",1,2500]],"total":2500,"customer":{"name":"Customer 0123456789abcdef","email":"customer-0123456789abcdef@example.org"},"created_at":1790000000000,"due_at":1790086400000}"#;
/// From how many keys redis-benchmark draws; it cannot count further.
const RANDOM_KEYS: &str = "2000000000";

/// A running Redis.
pub(crate) struct Redis {
    server: lastseat_scratch::Redis,
    script: String,
    version: String,
    // After `server`, so that the directory goes when the server has.
    _dir: TempDir,
}

impl Redis {
    /// Starts one with an append-only file that is synced before every answer, on the laboratory's disk.
    pub(crate) fn start(lab: &Lab) -> anyhow::Result<Self> {
        let dir = lab.fresh()?;
        let path = dir.path().to_str().context("the directory's path is no text")?;
        let server = lastseat_scratch::Redis::builder().set("maxclients", "4000").set("dir", path).start()?;
        let mut redis = Self { server, script: String::new(), version: String::new(), _dir: dir };
        redis.ask(&["SET", COUNTER, CAPACITY])?;
        redis.script = redis.ask(&["SCRIPT", "LOAD", SCRIPT])?;
        let info = redis.ask(&["INFO", "server"])?;
        redis.version =
            info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap_or("?").to_owned();
        Ok(redis)
    }

    /// Its version.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Has redis-benchmark run the script `count` times over so many connections: reservations per second.
    pub(crate) fn reserve(&self, connections: usize, count: u64) -> anyhow::Result<f64> {
        let left = self.ask(&["GET", COUNTER])?.parse::<u64>()?;
        let mut command = Command::new("redis-benchmark");
        command.args([
            "-p",
            &self.server.port().to_string(),
            "-c",
            &connections.to_string(),
            "-n",
            &count.to_string(),
        ]);
        command.args(["-r", RANDOM_KEYS, "--csv", "EVALSHA", &self.script, "2", COUNTER]);
        command.args(["booking:__rand_int__", RESERVATION]);
        let output = command.output().context("cannot start redis-benchmark")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let rate = rate(&text).with_context(|| format!("redis-benchmark says: {text}"))?;
        let taken = left - self.ask(&["GET", COUNTER])?.parse::<u64>()?;
        // Random keys collide now and then, which is a duplicate and rightly refused.
        ensure!(taken * 1_000 >= count * 999, "Redis took {taken} of {count} reservations");
        Ok(rate)
    }

    /// Asks one thing, and gives the answer's text.
    fn ask(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server.port()))?;
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        stream.write_all(request.as_bytes())?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((kind, text)) = line.trim_end().split_at_checked(1) else {
            bail!("Redis closed the connection")
        };
        match kind {
            "$" => {
                let mut body = vec![0; text.parse::<usize>()?];
                std::io::Read::read_exact(&mut reader, &mut body)?;
                Ok(String::from_utf8(body)?)
            }
            "+" | ":" => Ok(text.to_owned()),
            _ => bail!("Redis answers {}", line.trim_end()),
        }
    }
}

/// The requests per second in redis-benchmark's CSV.
fn rate(csv: &str) -> Option<f64> {
    let mut lines = csv.lines().filter(|line| line.starts_with('"'));
    // The name of the test is the command itself, with quotes and commas of its own: count from the end.
    let titles: Vec<&str> = lines.next()?.split(',').collect();
    let from_end = titles.len() - titles.iter().position(|title| title.contains("rps"))?;
    lines.next()?.rsplit(',').nth(from_end - 1)?.trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_found_whatever_the_command_contains() {
        let csv = "\"test\",\"rps\",\"avg_latency_ms\",\"max_latency_ms\"\n\
                   \"EVALSHA x 2 pool {\"a\",1}\",\"37302.50\",\"12.1\",\"45.0\"\n";
        assert_eq!(rate(csv), Some(37302.5));
        assert_eq!(rate("nothing"), None);
    }
}
