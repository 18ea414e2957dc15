//! Putting a batch: retries, the search for unanswered placements, and the halving of a batch that is refused whole.

use crate::base::limits::PUT_ATTEMPTS;
use crate::destinations::{DeliverError, Destination, DestinationError, Next};
use crate::model::delivery::{Delivery, InFlight, Location};
use crate::model::loss::{SetAside, SetAsideReason};

/// The last word on a placement in this pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Stored(Location),
    SetAside(SetAside),
    /// The destination has no room; nothing is stored.
    Full(String),
}

type Attempt = Result<Location, DeliverError>;

/// Puts a batch whose placements are noted as in flight, and answers in the same order.
///
/// # Errors
/// When the destination as a whole stops answering; then the notes in flight tell the next pass where to look.
pub fn put(
    destination: &mut dyn Destination,
    batch: &[Delivery],
    in_flight: &[InFlight],
) -> Result<Vec<Answer>, DestinationError> {
    let mut attempts = put_or_halve(destination, batch);
    for _ in 1..PUT_ATTEMPTS {
        look_for_unanswered(destination, in_flight, &mut attempts)?;
        let again = indexes(&attempts, Next::RetryLater);
        if again.is_empty() {
            break;
        }
        let part: Vec<Delivery> = again.iter().map(|&index| batch[index].clone()).collect();
        for (index, attempt) in again.into_iter().zip(put_or_halve(destination, &part)) {
            attempts[index] = attempt;
        }
    }
    look_for_unanswered(destination, in_flight, &mut attempts)?;
    Ok(attempts.into_iter().map(answer).collect())
}

/// Puts a batch. When all of it is refused, one bad message may be the cause: each half gets a chance of its own.
fn put_or_halve(destination: &mut dyn Destination, batch: &[Delivery]) -> Vec<Attempt> {
    let attempts = if batch.is_empty() { Vec::new() } else { destination.put_batch(batch) };
    assert_eq!(attempts.len(), batch.len(), "a destination answers for each placement");
    let refused = |attempt: &Attempt| matches!(attempt, Err(DeliverError::Refused { .. }));
    if batch.len() < 2 || !attempts.iter().all(refused) {
        return attempts;
    }
    let (left, right) = batch.split_at(batch.len() / 2);
    let mut attempts = put_or_halve(destination, left);
    attempts.extend(put_or_halve(destination, right));
    attempts
}

/// Invariant C: a placement without an answer is looked for before it is put again, and where nothing can be looked
/// for it stays unanswered.
fn look_for_unanswered(
    destination: &mut dyn Destination,
    in_flight: &[InFlight],
    attempts: &mut [Attempt],
) -> Result<(), DestinationError> {
    let unanswered = indexes(attempts, Next::LookThenRetry);
    if unanswered.is_empty() || !destination.traits().searchable {
        return Ok(());
    }
    let records: Vec<InFlight> = unanswered.iter().map(|&index| in_flight[index].clone()).collect();
    let found = destination.reconcile(&records)?;
    for (index, location) in unanswered.into_iter().zip(found) {
        attempts[index] = location.ok_or_else(|| {
            let why = attempts[index].as_ref().err().map(ToString::to_string).unwrap_or_default();
            DeliverError::PutOff { why }
        });
    }
    Ok(())
}

fn indexes(attempts: &[Attempt], next: Next) -> Vec<usize> {
    let wanted = attempts.iter().enumerate().filter(|(_, attempt)| {
        let error = attempt.as_ref().err();
        error.is_some_and(|error| error.next() == next)
    });
    wanted.map(|(index, _)| index).collect()
}

fn answer(attempt: Attempt) -> Answer {
    let aside = |reason, detail| Answer::SetAside(SetAside::new(reason, detail));
    match attempt {
        Ok(location) => Answer::Stored(location),
        Err(DeliverError::Full { why }) => Answer::Full(why),
        Err(DeliverError::Unanswered { why }) => aside(SetAsideReason::Uncertain, why),
        Err(DeliverError::PutOff { why }) => {
            aside(SetAsideReason::Refused, format!("put off {PUT_ATTEMPTS} times: {why}"))
        }
        Err(DeliverError::Refused { why }) => aside(SetAsideReason::Refused, why),
        Err(DeliverError::Source { why }) => aside(SetAsideReason::UnreadableNote, why),
    }
}
