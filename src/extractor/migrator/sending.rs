//! Getting the chunks of one answer to the server, each until it is kept.
//!
//! The chunk in hand is the only copy of its bytes, and it is dropped when the server kept it. After a cut line the server
//! is asked for its action: it tells what it kept, or that something else is to do now.

use super::Line;
use super::alive::Alive;
use crate::base::ids::{ChunkNumber, MigratorId, Sequence};
use crate::base::limits::WAIT_SECONDS;
use crate::extractor::client::ClientError;
use crate::protocol::action::{Action, ActionRequest, DataAnswer, DataRequest, Held, Order};
use crate::protocol::transfer::Chunk;
use std::thread;
use std::time::Duration;

/// Why an answer is not written to its end.
#[derive(Debug)]
pub enum Cut {
    /// The server wants something else now, or this again from another place.
    Order(Box<Order>),
    /// The lease is over or the migration was stopped.
    Stop,
    /// A refusal for good.
    Call(ClientError),
}

/// What follows from an answer for the chunk in hand.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// It is kept.
    Done {
        next: Option<Order>,
    },
    /// It goes again, after so many milliseconds; without a number, after the pause of a failure.
    Again {
        milliseconds: Option<u32>,
    },
    /// The server misses an earlier one, which is gone here: the action is asked for again.
    Ask,
    Stop,
}

fn after_data(answer: DataAnswer, number: ChunkNumber) -> Step {
    match answer {
        DataAnswer::Kept { next } => Step::Done { next },
        DataAnswer::TryLater { milliseconds } => Step::Again { milliseconds: Some(milliseconds) },
        DataAnswer::Unknown(_) => Step::Again { milliseconds: None },
        DataAnswer::SendAgain { last_kept } => after_kept(number, last_kept),
        DataAnswer::Stop => Step::Stop,
    }
}

fn after_kept(number: ChunkNumber, last_kept: Option<ChunkNumber>) -> Step {
    match number.after(last_kept) {
        Sequence::Again => Step::Done { next: None },
        Sequence::Next => Step::Again { milliseconds: None },
        Sequence::Gap => Step::Ask,
    }
}

/// What follows from asking after a cut line. `Err` carries what is to do instead.
fn after_asking(order: Order, held: Held, number: ChunkNumber) -> Result<Step, Cut> {
    let lease = order.lease.filter(|lease| (lease.action, lease.epoch) == (held.action, held.epoch));
    match (lease, &order.action) {
        (Some(lease), _) => match after_kept(number, lease.last_kept) {
            // What is missing has to be read again, which the order says in its own words.
            Step::Ask => Err(Cut::Order(Box::new(order))),
            step => Ok(step),
        },
        (None, Action::Stop | Action::Done) => Err(Cut::Stop),
        (None, _) => Err(Cut::Order(Box::new(order))),
    }
}

/// Sends the chunks of one answer in their order.
pub struct Sending<'a> {
    held: Held,
    /// Chunks up to this one were kept before this answer was begun again.
    last_kept: Option<ChunkNumber>,
    migrator: MigratorId,
    line: &'a mut Line,
    alive: &'a Alive,
    next: Option<Order>,
}

impl<'a> Sending<'a> {
    pub fn new(
        held: Held,
        last_kept: Option<ChunkNumber>,
        migrator: MigratorId,
        line: &'a mut Line,
        alive: &'a Alive,
    ) -> Self {
        Self { held, last_kept, migrator, line, alive, next: None }
    }

    /// What the answer to the last chunk carried.
    pub fn into_next(self) -> Option<Order> {
        self.next
    }

    /// Returns when the chunk is kept.
    ///
    /// # Errors
    /// [`Cut`] when the answer is not to be written on.
    pub fn send(&mut self, chunk: Chunk) -> Result<(), Cut> {
        self.alive.read(chunk.payload().len() as u64);
        let number = chunk.number();
        if number.after(self.last_kept) == Sequence::Again {
            return Ok(());
        }
        if chunk.is_last() {
            self.alive.end();
        }
        let request = DataRequest { held: self.held, chunk };
        loop {
            match self.step(&request, number)? {
                Step::Done { next } => {
                    self.next = next;
                    return Ok(());
                }
                Step::Again { milliseconds: Some(milliseconds) } => {
                    let pause = Duration::from_millis(milliseconds.into());
                    thread::sleep(pause.min(Duration::from_secs(WAIT_SECONDS)));
                }
                Step::Again { milliseconds: None } => thread::sleep(self.line.backoff.failed()),
                Step::Ask => {
                    thread::sleep(self.line.backoff.failed());
                    return Err(Cut::Order(Box::new(self.ask()?)));
                }
                Step::Stop => return Err(Cut::Stop),
            }
        }
    }

    fn step(&mut self, request: &DataRequest, number: ChunkNumber) -> Result<Step, Cut> {
        if let Some(answer) = self.line.try_call(request).map_err(Cut::Call)? {
            return Ok(after_data(answer, number));
        }
        let order = self.ask()?;
        after_asking(order, self.held, number)
    }

    fn ask(&mut self) -> Result<Order, Cut> {
        let request = ActionRequest { migration: self.held.migration, migrator: self.migrator, alone: true };
        self.line.call(&request).map_err(Cut::Call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::{ActionId, Epoch, MigrationId};
    use crate::protocol::action::Lease;

    const HELD: Held = Held { migration: MigrationId(7), action: ActionId(300), epoch: Epoch(2) };
    const NUMBER: ChunkNumber = ChunkNumber(5);
    const AGAIN: Step = Step::Again { milliseconds: None };

    fn kept(number: u32) -> Option<ChunkNumber> {
        Some(ChunkNumber(number))
    }

    fn leased(action: u64, epoch: u64, last_kept: Option<ChunkNumber>) -> Order {
        let lease = Lease { action: ActionId(action), epoch: Epoch(epoch), seconds: 180, last_kept };
        Order { action: Action::ListFolders, lease: Some(lease) }
    }

    #[test]
    fn a_chunk_goes_again_until_it_is_kept() {
        let after = |answer| after_data(answer, NUMBER);
        assert_eq!(after(DataAnswer::Kept { next: None }), Step::Done { next: None });
        assert_eq!(after(DataAnswer::TryLater { milliseconds: 9 }), Step::Again { milliseconds: Some(9) });
        assert_eq!(after(DataAnswer::Unknown(77)), AGAIN);
        assert_eq!(after(DataAnswer::Stop), Step::Stop);
        assert_eq!(after(DataAnswer::SendAgain { last_kept: kept(4) }), AGAIN, "it arrived damaged");
        assert_eq!(after(DataAnswer::SendAgain { last_kept: kept(5) }), Step::Done { next: None });
        assert_eq!(
            after(DataAnswer::SendAgain { last_kept: kept(3) }),
            Step::Ask,
            "one before it is missing"
        );
        assert_eq!(after(DataAnswer::SendAgain { last_kept: None }), Step::Ask);
    }

    #[test]
    fn after_a_cut_line_the_server_tells_what_it_kept() {
        let after = |order| after_asking(order, HELD, NUMBER);
        assert_eq!(after(leased(300, 2, kept(4))).unwrap(), AGAIN);
        assert_eq!(after(leased(300, 2, kept(5))).unwrap(), Step::Done { next: None });
        for other in [leased(300, 2, kept(3)), leased(300, 3, None), leased(301, 2, kept(4))] {
            let Err(Cut::Order(order)) = after(other.clone()) else { panic!("{other:?}") };
            assert_eq!(*order, other);
        }
        let bare = |action| Order { action, lease: None };
        assert!(matches!(after(bare(Action::Done)), Err(Cut::Stop)));
        assert!(matches!(after(bare(Action::Wait { milliseconds: 1 })), Err(Cut::Order(_))));
    }
}
