//! Live streams: what can be had of a listing, how a booking stands or an entry of a waitlist, pushed as it changes.
//!
//! A [`topic`] is looked after by one task, however many watch it: it asks the engine again when a commit
//! touched it or time may have, at most [`topic::FRAMES_PER_SECOND`] times a second, and sends what changed
//! to everybody through a small ring. Who reads too slowly to keep up with the ring misses frames and gets
//! the whole state instead: nothing is ever queued without a bound.
//!
//! - [`hub`]: the topics that somebody watches
//! - [`topic`]: one of them
//! - [`listing`], [`booking`], [`waitlist`]: how a topic is asked for and shown
//! - [`sse`]: event streams

pub(crate) mod booking;
pub(crate) mod frame;
pub(crate) mod hub;
pub(crate) mod listing;
pub(crate) mod sse;
pub(crate) mod topic;
pub(crate) mod waitlist;

pub(crate) use frame::Frame;
pub(crate) use hub::Hub;
pub(crate) use topic::Subscription;
