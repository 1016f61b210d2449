//! Rules of the house that no compiler knows.

pub(crate) mod advisories;
pub(crate) mod docs;
pub(crate) mod purity;
pub(crate) mod tidy;
