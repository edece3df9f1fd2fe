//! Dead letters, sent again because somebody asked for it.

use super::client::{Answer, Client};
use super::endpoint::Endpoint;
use crate::dead::{Channel, DeadLetterError, DeadLetters, Replayed};

/// Sends each letter to the endpoint of its name once, under its old id and signed anew, and removes those that were
/// taken. An endpoint that says it is gone is not asked again.
///
/// # Errors
/// Letters cannot be read or removed; what was sent and not removed is sent again next time, under the same id.
pub fn replay(dead: &dyn DeadLetters, endpoints: &[Endpoint], client: &Client) -> Result<Replayed, DeadLetterError> {
    let mut replayed = Replayed::default();
    let mut gone: Vec<&str> = Vec::new();
    for letter in dead.all()? {
        let endpoint =
            endpoints.iter().find(|endpoint| endpoint.name() == letter.to && !gone.contains(&endpoint.name()));
        let Some(endpoint) = endpoint.filter(|_| letter.channel == Channel::Webhook) else {
            replayed.passed_over += 1;
            continue;
        };
        match client.send(endpoint, &letter.id, &letter.body) {
            Answer::Accepted => {
                dead.remove(std::slice::from_ref(&letter))?;
                replayed.sent += 1;
            }
            Answer::Gone => {
                gone.push(endpoint.name());
                replayed.failed += 1;
            }
            Answer::Failed(failure) => {
                tracing::warn!(endpoint = letter.to, id = letter.id, error = failure.error, "still not taken");
                replayed.failed += 1;
            }
        }
    }
    Ok(replayed)
}
