//! lastseat-store-sqlite
