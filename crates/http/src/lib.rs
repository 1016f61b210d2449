//! lastseat-http
