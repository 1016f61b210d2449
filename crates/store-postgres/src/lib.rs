//! Bookings in PostgreSQL: the store of several nodes.
