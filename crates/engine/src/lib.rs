//! lastseat-engine
