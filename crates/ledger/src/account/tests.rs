//! Golden scripts of the account, one per rule of boundaries.md at least, and properties over random inputs.

mod books;
mod closing;
mod corrections;
mod drawdown;
mod failing;
mod licences;
mod lots;
mod modes;
mod notices;
mod properties;
mod random;
mod recharging;
mod saving;
mod script;
mod time;

use script::check;

use super::Account;
use crate::lots::Lot;

/// An organisation costs this much memory and no more, besides its name, its lots and its recharge settings.
#[test]
fn accounts_and_lots_are_small() {
    assert!(size_of::<Account>() <= 312, "an account takes {} bytes", size_of::<Account>());
    assert!(size_of::<Lot>() <= 72, "a lot takes {} bytes", size_of::<Lot>());
}
