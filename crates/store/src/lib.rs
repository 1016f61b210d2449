//! lastseat-store
