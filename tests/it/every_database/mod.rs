//! What is the same whichever the database is: each case runs over all of them, through HTTP.

mod loading;
mod procedures;
mod schemas;
mod stage;
mod tables;
mod three_requests;
