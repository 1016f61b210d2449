//! Input from a file, or from standard input.

use std::convert::Infallible;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::str::FromStr;

use crate::failure::Failure;

/// A file to read; `-` is standard input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl FromStr for Input {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == "-" { Self::Stdin } else { Self::File(text.into()) })
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Input {
    /// Opens it.
    ///
    /// # Errors
    /// `Usage` if there is no such file, or it cannot be read.
    pub(crate) fn open(&self) -> Result<Box<dyn Read>, Failure> {
        Ok(match self {
            Self::Stdin => Box::new(std::io::stdin()),
            Self::File(path) => {
                Box::new(std::fs::File::open(path).map_err(|error| {
                    Failure::usage(format_args!("cannot read {}: {error}", path.display()))
                })?)
            }
        })
    }

    /// Reads all of it, up to `limit` bytes.
    ///
    /// # Errors
    /// `Usage` if it cannot be read, is longer, or is no UTF-8.
    pub(crate) fn read_text(&self, limit: u64) -> Result<String, Failure> {
        let mut text = String::new();
        let read = self.open()?.take(limit + 1).read_to_string(&mut text);
        let size = read.map_err(|error| Failure::usage(format_args!("cannot read {self}: {error}")))?;
        if size as u64 > limit {
            return Err(Failure::usage(format_args!("{self} is larger than {limit} bytes")));
        }
        Ok(text)
    }
}
