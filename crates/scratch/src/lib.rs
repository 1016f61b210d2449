//! PostgreSQL and Redis servers in temporary directories.
