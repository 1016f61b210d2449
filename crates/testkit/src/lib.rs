//! lastseat-testkit
