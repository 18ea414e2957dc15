//! A simulated extractor: migrators that ask, read and send, lose answers, freeze and die.

use super::world::Server;
use crate::support::memory_source::MemorySource;
use fastrand::Rng;
use notesferry::base::ids::{ChunkNumber, ExtractorId, MigrationId, MigratorId};
use notesferry::base::secret::Secret;
use notesferry::model::content::SourceItemId;
use notesferry::protocol::Request;
use notesferry::protocol::action::{Action, ActionRequest, DataAnswer, DataRequest, Held, Lease, Order};
use notesferry::protocol::calls::{ConnectorsRequest, EnrolRequest, MigrationsRequest, TestRequest};
use notesferry::protocol::frame;
use notesferry::protocol::transfer::{Chunk, ChunkWriter, End, SourceFacts};
use notesferry::sources::{Cursor, Source};
use std::convert::Infallible;

/// Small, so that few items fill several chunks.
const CHUNK_BYTES: usize = 400;

/// What an extractor keeps over its restarts.
#[derive(Debug)]
pub struct Extractor {
    bearer: String,
    migrators: Vec<Migrator>,
    started: u64,
}

#[derive(Debug)]
struct Migrator {
    id: MigratorId,
    migration: MigrationId,
    /// It holds the lock of its migration.
    alone: bool,
    /// Steps for which it does nothing.
    frozen: u32,
    sending: Option<Sending>,
}

#[derive(Debug)]
struct Sending {
    held: Held,
    chunks: Vec<Chunk>,
    at: usize,
}

/// What one step of a migrator leads to.
enum Goes {
    On,
    Ends,
}

impl Extractor {
    /// Enrols at a server.
    pub fn enrol(server: &Server) -> (Self, ExtractorId) {
        let code = server.communication.make_enrol_code().unwrap();
        let request = EnrolRequest { code, host: "simulated".to_owned(), program_version: "0".to_owned() };
        let answer = call(server, None, &request).unwrap();
        let bearer = format!("{}.{}", answer.extractor, Secret::expose(&answer.token));
        (Self { bearer, migrators: Vec::new(), started: 0 }, answer.extractor)
    }

    /// One step of the coordinator or of a migrator.
    pub fn step(&mut self, server: &Server, source: &mut MemorySource, random: &mut Rng, faults: bool) {
        if self.migrators.is_empty() || random.u8(..) < 16 {
            self.start_migrators(server);
        }
        if self.migrators.is_empty() {
            return;
        }
        let index = random.usize(..self.migrators.len());
        if faults && random.u8(..) < 6 {
            self.befall(index, random);
        } else if matches!(self.work(index, server, source, random, faults), Goes::Ends) {
            self.migrators.remove(index);
        }
    }

    /// Everything that happens to a process: it dies, or it stands still while another takes its place.
    fn befall(&mut self, index: usize, random: &mut Rng) {
        match random.u8(..3) {
            0 => drop(self.migrators.remove(index)),
            1 => self.migrators[index].frozen = random.u32(1..200),
            _ => {
                // As if a second folder of state were used: it cannot know that the first one is gone.
                let migration = self.migrators[index].migration;
                self.start(migration, false);
            }
        }
    }

    fn start_migrators(&mut self, server: &Server) {
        let Ok(connectors) = call(server, Some(&self.bearer), &ConnectorsRequest {}) else { return };
        for connector in connectors.connectors {
            let request = MigrationsRequest { connector: connector.id };
            let Ok(answer) = call(server, Some(&self.bearer), &request) else { return };
            for migration in answer.migrations {
                if !self.migrators.iter().any(|migrator| migrator.migration == migration.id && migrator.alone)
                {
                    self.start(migration.id, true);
                }
            }
        }
    }

    fn start(&mut self, migration: MigrationId, alone: bool) {
        self.started += 1;
        let id = MigratorId(self.started);
        self.migrators.push(Migrator { id, migration, alone, frozen: 0, sending: None });
    }

    fn work(
        &mut self,
        index: usize,
        server: &Server,
        source: &mut MemorySource,
        random: &mut Rng,
        faults: bool,
    ) -> Goes {
        let bearer = self.bearer.clone();
        let migrator = &mut self.migrators[index];
        if migrator.frozen > 0 {
            migrator.frozen -= 1;
            return Goes::On;
        }
        let (request_lost, answer_lost) = match faults {
            true => (random.u8(..) < 20, random.u8(..) < 20),
            false => (false, false),
        };
        if request_lost {
            return Goes::On;
        }
        let Some(sending) = &mut migrator.sending else {
            let test =
                TestRequest { migration: migrator.migration, nonce: 1, program_version: String::new() };
            let _ = call(server, Some(&bearer), &test);
            let (migration, alone) = (migrator.migration, migrator.alone);
            let request = ActionRequest { migration, migrator: migrator.id, alone };
            let answer = call(server, Some(&bearer), &request);
            return match answer {
                Ok(order) if !answer_lost => migrator.take(order, source),
                _ => Goes::On,
            };
        };
        let mut chunk = sending.chunks[sending.at].clone();
        if faults && random.u8(..) < 4 {
            // Damaged on its way: another number with the checksum of this one.
            chunk = damaged(&chunk);
        }
        let request = DataRequest { held: sending.held, chunk };
        let answer = call(server, Some(&bearer), &request);
        match answer {
            Ok(answer) if !answer_lost => migrator.answered(answer, source),
            _ => Goes::On,
        }
    }
}

impl Migrator {
    fn take(&mut self, order: Order, source: &mut MemorySource) -> Goes {
        let Some(lease) = order.lease else {
            return match order.action {
                Action::Stop | Action::Done => Goes::Ends,
                _ => Goes::On,
            };
        };
        let chunks = perform(&order.action, source);
        let Lease { action, epoch, last_kept, .. } = lease;
        let held = Held { migration: self.migration, action, epoch };
        let at = last_kept.map_or(0, |ChunkNumber(kept)| kept as usize);
        self.sending = Some(Sending { held, chunks, at });
        Goes::On
    }

    fn answered(&mut self, answer: DataAnswer, source: &mut MemorySource) -> Goes {
        let Some(sending) = &mut self.sending else { return Goes::On };
        match answer {
            DataAnswer::Kept { next } => {
                sending.at += 1;
                if sending.at == sending.chunks.len() {
                    self.sending = None;
                    return next.map_or(Goes::On, |order| self.take(order, source));
                }
                Goes::On
            }
            DataAnswer::TryLater { .. } | DataAnswer::Unknown(_) => Goes::On,
            DataAnswer::SendAgain { last_kept } => {
                sending.at = last_kept.map_or(0, |ChunkNumber(kept)| kept as usize);
                Goes::On
            }
            DataAnswer::Stop => Goes::Ends,
        }
    }
}

fn damaged(chunk: &Chunk) -> Chunk {
    let mut bytes = frame::encode(chunk).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    frame::decode(&bytes).unwrap_or_else(|_| chunk.clone())
}

fn perform(action: &Action, source: &mut MemorySource) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut writer = ChunkWriter::cutting_at(CHUNK_BYTES, |chunk| {
        chunks.push(chunk);
        Ok::<_, Infallible>(())
    });
    let mut end = End::default();
    match action {
        Action::Test { nonce } => writer.nonce(*nonce).unwrap(),
        Action::ListFolders => {
            writer.source(&SourceFacts::default()).unwrap();
            source.folders().unwrap().iter().for_each(|folder| writer.folder(folder).unwrap());
        }
        Action::ListItems { after, .. } => {
            // Short pages, so that a small mailbox has several.
            let page = source.list(after.map(Cursor), 5).unwrap();
            page.items.iter().for_each(|listed| writer.listed(listed).unwrap());
            end.next = page.next.map(|Cursor(id)| id);
        }
        Action::GetItems { ids, .. } => {
            ids.iter().for_each(|id| write_item(*id, source, &mut writer));
        }
        Action::Wait { .. } | Action::Stop | Action::Done | Action::Unknown(_) => {}
    }
    writer.end(&end).unwrap();
    chunks
}

fn write_item<S: FnMut(Chunk) -> Result<(), Infallible>>(
    id: SourceItemId,
    source: &mut MemorySource,
    writer: &mut ChunkWriter<S>,
) {
    use notesferry::model::loss::{SetAside, SetAsideReason};
    match source.open(id) {
        Ok(item) => writer.item(id, &item).unwrap(),
        Err(error) => {
            let aside = SetAside::new(SetAsideReason::UnreadableNote, error.to_string());
            writer.set_aside(id, &aside).unwrap();
        }
    }
}

/// One call, through the frames of the wire.
fn call<R: Request>(server: &Server, bearer: Option<&str>, request: &R) -> Result<R::Answer, String> {
    let body = frame::encode(request).unwrap();
    frame::decode(&server.communication.answer(R::CALL, bearer, &body)).map_err(|error| error.to_string())
}
