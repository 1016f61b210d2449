mod availability;
mod create;
mod list;
mod live;
mod patch;
mod pools;
mod seating;
