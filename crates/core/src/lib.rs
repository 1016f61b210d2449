//! lastseat-core
