//! What one transaction writes, in memory: put together by the worker's thread, written by the writer's, used again.

use std::ops::Range;

use drawdown_engine::log::{Output, Position};

use super::block::{BLOCK_BYTES, Block};
use super::spool::FileRow;

/// A transaction.
#[derive(Debug, Default)]
pub struct Transaction {
    blocks: Vec<(Output, u32, Block)>,
    /// How many of `blocks` are in use.
    used: usize,
    accounts: Vec<AccountPut>,
    account_bytes: Vec<u8>,
    /// Up to where inputs are read with it.
    pub positions: Vec<Position>,
    /// Files of the spool that were begun or ended.
    pub files: Vec<FileRow>,
    /// Files of the spool that were moved.
    pub moved: Vec<i64>,
    /// Milliseconds since 1970.
    pub logged_ms: i64,
}

#[derive(Debug)]
struct AccountPut {
    partition: u32,
    org: Range<usize>,
    state: Range<usize>,
}

impl Transaction {
    /// Adds a message.
    pub fn append(&mut self, output: Output, partition: u32, key: &[u8], value: &[u8]) {
        if output == Output::Accounts {
            let from = self.account_bytes.len();
            self.account_bytes.extend_from_slice(key);
            self.account_bytes.extend_from_slice(value);
            let middle = from + key.len();
            let put = AccountPut { partition, org: from..middle, state: middle..self.account_bytes.len() };
            self.accounts.push(put);
        } else {
            self.block(output, partition).push(key, value);
        }
    }

    /// The block that is open for an output.
    fn block(&mut self, output: Output, partition: u32) -> &mut Block {
        let held = self.blocks[..self.used].iter().rposition(|(held, of, _)| (*held, *of) == (output, partition));
        let index = match held {
            Some(index) if self.blocks[index].2.size_bytes() < BLOCK_BYTES => index,
            _ => {
                let index = self.used;
                match self.blocks.get_mut(index) {
                    Some(spare) => (spare.0, spare.1) = (output, partition),
                    None => self.blocks.push((output, partition, Block::default())),
                }
                self.used += 1;
                index
            }
        };
        &mut self.blocks[index].2
    }

    /// Its blocks, in the order in which they were begun.
    pub fn blocks(&self) -> impl Iterator<Item = (Output, u32, &Block)> {
        self.blocks[..self.used].iter().map(|(output, partition, block)| (*output, *partition, block))
    }

    /// Partition, key and state, in the order of the table, which spares the store half of its work; of one key only the
    /// last.
    pub fn accounts(&mut self) -> impl Iterator<Item = (u32, &[u8], &[u8])> {
        let bytes = &self.account_bytes;
        let of = |put: &AccountPut| (put.partition, &bytes[put.org.clone()]);
        self.accounts.sort_by(|one, other| of(one).cmp(&of(other)));
        let puts = &self.accounts;
        let is_last = move |index: usize| puts.get(index + 1).is_none_or(|next| of(next) != of(&puts[index]));
        (0..puts.len()).filter(move |index| is_last(*index)).map(move |index| {
            let put = &puts[index];
            (put.partition, &bytes[put.org.clone()], &bytes[put.state.clone()])
        })
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        self.blocks[..self.used].iter_mut().for_each(|(_, _, block)| block.clear());
        self.used = 0;
        self.accounts.clear();
        self.account_bytes.clear();
        self.positions.clear();
        self.files.clear();
        self.moved.clear();
    }
}
