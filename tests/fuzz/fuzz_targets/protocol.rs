//! Any bytes as the body of a call or answer, or as the content of a chunk: decoded or refused. What was decoded can
//! be written, and gives the same bytes when it is decoded and written again. The first byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::model::blob::Blob;
use notesferry::model::content::SourceItemId;
use notesferry::protocol::Request;
use notesferry::protocol::action::{Action, ActionRequest, DataRequest};
use notesferry::protocol::calls::{
    AliveRequest, ConnectorsRequest, EnrolRequest, FoundRequest, HelloRequest, MigrationsRequest, NotifyRequest, TestRequest,
};
use notesferry::protocol::frame::{decode, encode};
use notesferry::protocol::ids::ChunkNumber;
use notesferry::protocol::transfer::{Arrived, Chunk, ChunkReader, FileBlock, Receiver};
use std::convert::Infallible;

/// Forgets what arrives; an attachment comes back as zeros.
struct Nobody;

impl Receiver for Nobody {
    type Error = Infallible;

    fn arrived(&mut self, _: Arrived) -> Result<(), Infallible> {
        Ok(())
    }

    fn file_block(&mut self, _: FileBlock<'_>) -> Result<(), Infallible> {
        Ok(())
    }

    fn file_end(&mut self, _: u32, _: u32, length: u64) -> Result<Blob, Infallible> {
        Ok(Blob::memory(vec![0; length as usize]))
    }
}

fn message<M: serde::Serialize + serde::de::DeserializeOwned>(body: &[u8]) {
    let Ok(message) = decode::<M>(body) else { return };
    let bytes = encode(&message).expect("what was read can be written");
    let again: M = decode(&bytes).expect("what was written can be read");
    assert_eq!(encode(&again).unwrap(), bytes);
}

fn call<R: Request>(body: &[u8]) {
    message::<R>(body);
    message::<R::Answer>(body);
}

fn answer(action: &Action, payload: &[u8]) {
    // Two chunks and every end mark, so that records go on over a border.
    let (first, second) = payload.split_at(payload.len() / 2);
    for last in [1, 2] {
        let mut reader = ChunkReader::new(action);
        for (number, part) in [(1, first), (2, second)] {
            let part = if last == 1 { payload } else { part };
            let chunk = Chunk::new(ChunkNumber(number), number == last, part.to_vec());
            if reader.read(&chunk, &mut Nobody).is_err() {
                break;
            }
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    match choice % 14 {
        0 => call::<EnrolRequest>(bytes),
        1 => call::<HelloRequest>(bytes),
        2 => call::<ConnectorsRequest>(bytes),
        3 => call::<MigrationsRequest>(bytes),
        4 => call::<NotifyRequest>(bytes),
        5 => call::<TestRequest>(bytes),
        6 => call::<ActionRequest>(bytes),
        7 => call::<DataRequest>(bytes),
        8 => call::<AliveRequest>(bytes),
        9 => call::<FoundRequest>(bytes),
        10 => answer(&Action::Test { nonce: 5 }, bytes),
        11 => answer(&Action::ListFolders, bytes),
        12 => answer(&Action::ListItems { after: None, limit: 100 }, bytes),
        _ => answer(
            &Action::GetItems { ids: (0..8).chain([10, 300]).map(SourceItemId).collect(), max_bytes: 1 << 20 },
            bytes,
        ),
    }
});
