mod bookings;
mod events;
mod keys;
mod listings;
mod live;
mod waitlist;
