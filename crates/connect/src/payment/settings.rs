//! How a payment connector works.

use std::time::Duration;

use drawdown_units::Timestamp;

/// Settings of a payment connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Before every key: another one for every log whose recharges the same gateway sees.
    pub namespace: String,
    /// How many charges are at the gateway at once.
    pub tellers: usize,
    /// How many charges may be open at once: more are not read.
    pub open_max: usize,
    /// How long the place in the log waits for answers: less than the engine's 15 minutes.
    pub hold: Duration,
    /// How long the first answer that does not come has a charge wait; each further one doubles it.
    pub backoff: Duration,
    /// The longest such wait.
    pub backoff_max: Duration,
    /// How often the place is committed while nothing is asked for.
    pub commit_interval: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            namespace: "drawdown".to_owned(),
            tellers: 4,
            open_max: 1024,
            hold: Duration::from_secs(600),
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
            commit_interval: Duration::from_secs(1),
        }
    }
}

/// Tells the time of day.
pub type Clock = Box<dyn Fn() -> Timestamp + Send>;
