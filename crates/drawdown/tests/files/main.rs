//! The command line over files, as a user runs it: what goes in, what comes out, and what it says.
//!
//! One program for all of it, since each would be linked anew.

mod common;

mod calendar;
mod call_types;
mod deck;
mod demo;
mod deploy;
mod explain;
mod explanations;
mod generate;
mod golden;
mod key;
mod manual;
mod rate;
mod report;
mod schemas;
mod verify;
