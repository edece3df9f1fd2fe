//! The embedded log: what it keeps, what it reads, and what is left of it when it is killed, full or forbidden.

mod bed;
mod crash;
mod following;
mod inputs;
mod store;
