//! How a verb fails, and with which exit code. Scripts rely on the numbers.

use std::fmt;
use std::process::ExitCode;

/// Why a verb did not do what was asked. Each kind has its exit code; 0 is success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// 1: it was looked at, and the thing asked for does not hold. The sentence is for people.
    NotSo(String),
    /// 1, and all that there is to say has been printed already.
    NotSoSaid,
    /// 2: wrong use or configuration. The sentence says what to change.
    Usage(String),
    /// 3: it could not be done. The causes are told too.
    Unable(anyhow::Error),
}

impl Failure {
    /// Exit code 3, with one sentence.
    pub(crate) fn unable(sentence: impl fmt::Display) -> Self {
        Self::Unable(anyhow::anyhow!("{sentence}"))
    }

    /// Exit code 2, with one sentence.
    pub(crate) fn usage(sentence: impl fmt::Display) -> Self {
        Self::Usage(sentence.to_string())
    }

    /// The number for the shell.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::NotSo(_) | Self::NotSoSaid => 1,
            Self::Usage(_) => 2,
            Self::Unable(_) => 3,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSo(sentence) | Self::Usage(sentence) => f.write_str(sentence),
            Self::NotSoSaid => Ok(()),
            Self::Unable(error) => write!(f, "{error:#}"),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Unable(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_after_what_they_caused() {
        let cause = std::io::Error::other("no room");
        let failure = Failure::from(anyhow::Error::from(cause).context("cannot write the copy"));
        assert_eq!(failure.to_string(), "cannot write the copy: no room");
    }
}
