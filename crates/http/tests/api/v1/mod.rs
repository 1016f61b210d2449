mod bookings;
mod listings;
