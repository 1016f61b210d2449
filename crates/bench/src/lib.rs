//! lastseat-bench
