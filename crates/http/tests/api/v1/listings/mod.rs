mod availability;
mod create;
