//! Which server the client verbs talk to.

/// Which server, and as whom.
#[derive(Debug, clap::Args)]
pub(crate) struct ClientOptions {
    /// Address of the running server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", help_heading = "Server")]
    pub(crate) url: String,
    /// API key; better in LASTSEAT_KEY, where `ps` does not show it
    #[arg(long, value_name = "KEY", hide_default_value = true, help_heading = "Server")]
    pub(crate) key: Option<String>,
}
