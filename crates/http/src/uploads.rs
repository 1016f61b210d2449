//! How much memory uploads may take together. Whoever sends slowly holds little of it.

use std::sync::Arc;

use lastseat_core::refusal::Code;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// Bytes of one unit.
const UNIT_BYTES: usize = 64 * 1024;
/// Units of all uploads together: 128 MiB.
const UNITS: usize = 2048;

/// The memory of all uploads.
#[derive(Clone, Debug)]
pub(crate) struct Uploads(Arc<Semaphore>);

impl Default for Uploads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(UNITS)))
    }
}

impl Uploads {
    /// An upload that has taken nothing yet.
    pub(crate) fn share(&self) -> Share {
        Share { all: Arc::clone(&self.0), taken: None, bytes: 0 }
    }
}

/// What one upload takes, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    all: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Share {
    /// Takes room for so many bytes more.
    ///
    /// # Errors
    /// `503 overloaded` when there is none.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        self.bytes += bytes;
        let has = self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let units = u32::try_from(self.bytes.div_ceil(UNIT_BYTES).saturating_sub(has)).unwrap_or(u32::MAX);
        if units == 0 {
            return Ok(());
        }
        let more = Arc::clone(&self.all).try_acquire_many_owned(units).map_err(|_| {
            Problem::retry(Code::Overloaded, "Too much is being uploaded. Try again in a moment.", 2)
        })?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_share_what_there_is_and_give_it_back() {
        let uploads = Uploads::default();
        let mut shares: Vec<Share> = (0..2).map(|_| uploads.share()).collect();
        let half = UNITS * UNIT_BYTES / 2;
        for share in &mut shares {
            share.grow(half - 1).unwrap();
            share.grow(1).unwrap();
        }
        let mut late = uploads.share();
        assert_eq!(late.grow(1).unwrap_err().0.code, Code::Overloaded);
        shares.pop();
        uploads.share().grow(half).unwrap();
    }
}
