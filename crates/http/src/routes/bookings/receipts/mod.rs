//! The receipts of a booking, for operators.

pub(crate) mod get;
pub(crate) mod list;
