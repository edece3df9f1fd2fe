//! In which order the inputs of a partition were taken: as it was committed.
//!
//! Between two polls commands and usage records are not ordered (boundaries.md T4), so a simulated run may rightly take
//! them in another order than they were sent in. What it committed says which: each transaction moves the positions of
//! both inputs on, and what lies between is merged by arrival, commands first. The reference is fed in that order, so
//! nothing has to be excused: everything must be equal to the byte.

use std::collections::BTreeMap;

use drawdown_engine::log::Input;
use drawdown_engine::sim::{Kept, SimCluster};
use drawdown_units::Timestamp;
use drawdown_wire::native;
use drawdown_wire::source::Context;

use crate::script::Script;

/// The readable inputs of a partition, in the order in which they were taken.
pub fn committed(cluster: &SimCluster, partition: u32) -> Vec<(Input, Kept)> {
    let mut waiting = Input::ALL.map(|input| (input, cluster.input(input, partition).into_iter().peekable()));
    let mut order = Vec::new();
    for transaction in cluster.history() {
        let to: BTreeMap<Input, u64> = transaction
            .positions
            .iter()
            .filter(|position| position.partition == partition)
            .map(|position| (position.input, position.next))
            .collect();
        let [commands, cdrs] = waiting.each_mut().map(|(input, kept)| {
            let to = to.get(input).copied().unwrap_or(0);
            std::iter::from_fn(|| kept.next_if(|kept| kept.offset < to)).collect::<Vec<_>>()
        });
        merge(&mut order, commands, cdrs);
    }
    order
}

fn merge(order: &mut Vec<(Input, Kept)>, commands: Vec<Kept>, cdrs: Vec<Kept>) {
    let mut commands = commands.into_iter().peekable();
    for cdr in cdrs {
        let arrival = arrival(&cdr);
        while let Some(command) = commands.next_if(|command| command.arrival <= arrival) {
            order.push((Input::Commands, command));
        }
        order.push((Input::Cdrs, cdr));
    }
    order.extend(commands.map(|command| (Input::Commands, command)));
}

/// `receivedAt` of the row, if it can be read.
pub fn arrival(kept: &Kept) -> Timestamp {
    let received = native::decode(&kept.value, &Context::default()).ok().and_then(|cdr| cdr.received);
    received.unwrap_or(kept.arrival)
}

/// Whether anything was taken in another order than it was sent in.
pub fn is_moved(cluster: &SimCluster, script: &Script) -> bool {
    let of = |partition: u32| script.sent.iter().filter(move |sent| sent.partition == partition);
    (0..script.partitions).any(|partition| {
        let taken = committed(cluster, partition).into_iter().map(|(_, kept)| kept.value);
        let mut sent = of(partition).map(|sent| &sent.value).peekable();
        // Duplicates and garbage come in between.
        taken.for_each(|value| {
            sent.next_if(|next| **next == value);
        });
        sent.peek().is_some()
    })
}
