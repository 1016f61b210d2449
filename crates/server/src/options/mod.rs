//! Flags that several verbs share.

mod address;
mod client;
mod count;
mod data;
mod file;
mod files;
mod rate;
mod serve;

pub(crate) use client::ClientOptions;
pub(crate) use data::{DataOptions, Secret, not_supported};
pub(crate) use file::Input;
pub(crate) use files::FilesOptions;
pub(crate) use rate::RateArg;
pub(crate) use serve::{EngineOptions, HttpOptions, ListenOptions, LogFormat, LogOptions};

pub(crate) use address::listen_address;
pub(crate) use count::count;
