//! `lastseat serve`.

use std::net::SocketAddr;

use crate::failure::Failure;
use crate::options::{
    DataOptions, EngineOptions, FilesOptions, HttpOptions, ListenOptions, LogOptions, Secret, listen_address,
    not_supported,
};
use crate::serving::{self, AdminKey, Settings};
use crate::{logging, output};

const EXAMPLES: &str = "\
The first start makes the data directory and an admin key, which is shown once and kept in
DIR/admin.key. When the server is ready it prints `listening on http://ADDR`. SIGTERM or Ctrl-C
lets what was begun finish; a second one ends it at once.

Examples:
  lastseat serve
  lastseat serve --data /var/lib/lastseat --listen 0.0.0.0:8080 --log-format json
  lastseat serve --trusted-proxy-header x-forwarded-for --rate-per-address 20:100";

/// Serve bookings from a data directory
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[group(skip)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataOptions,
    #[command(flatten)]
    files: FilesOptions,
    #[command(flatten)]
    listen: ListenOptions,
    /// Use this admin key instead of a random one: 16 or more visible characters
    #[arg(long, value_name = "KEY", value_parser = AdminKey::parse)]
    admin_key: Option<AdminKey>,
    /// Address for gRPC; this version does not support it yet
    #[arg(long, value_name = "ADDR", value_parser = listen_address, hide_short_help = true)]
    grpc_listen: Option<SocketAddr>,
    /// Redis for several nodes; this version does not support it yet
    #[arg(long, value_name = "URL", hide_short_help = true)]
    redis_url: Option<Secret>,
    #[command(flatten)]
    http: HttpOptions,
    #[command(flatten)]
    engine: EngineOptions,
    #[command(flatten)]
    log: LogOptions,
}

impl Args {
    fn check(&self) -> Result<(), Failure> {
        if self.grpc_listen.is_some() {
            return Err(not_supported("grpc-listen", "gRPC", "use the REST API (`lastseat openapi`)"));
        }
        if self.redis_url.is_some() {
            return Err(not_supported("redis-url", "several nodes with Redis", "run one server"));
        }
        Ok(())
    }
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    args.check()?;
    let settings = Settings {
        place: args.data.place()?,
        files: args.files.bucket()?,
        data: args.data.data,
        listen: args.listen.listen,
        http: args.http.config()?,
        engine: args.engine.config(),
        audit_every: args.engine.audit_every(),
        admin_key: args.admin_key,
    };
    logging::start(&args.log);
    let running = serving::start(settings).await?;
    output::data(&format!("listening on http://{}", running.address()))?;
    running.until_told().await
}
