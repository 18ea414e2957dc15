//! Every message comes back from its bytes as it was, whatever it holds.

use notesferry::base::limits::{BODY_BYTES, CHUNK_BYTES, MESSAGE_LIST_ENTRIES};
use notesferry::base::secret::Secret;
use notesferry::model::content::SourceItemId;
use notesferry::protocol::action::{Action, DataAnswer, DataRequest, Held, Lease, Order};
use notesferry::protocol::calls::{
    Command, Connector, ConnectorsAnswer, Credentials, EnrolRequest, ExtractorLimits, HelloAnswer,
    HelloRequest, NotifyAnswer,
};
use notesferry::protocol::frame::{FrameError, Reason, Refusal, decode, encode};
use notesferry::protocol::ids::{ActionId, ChunkNumber, ConnectorId, Epoch, MigrationId, NotifyMark};
use notesferry::protocol::transfer::Chunk;
use notesferry::protocol::{Request, Versions};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

pub const HELD: Held = Held { migration: MigrationId(7), action: ActionId(300), epoch: Epoch(2) };

#[track_caller]
fn comes_back<M: Serialize + DeserializeOwned + Debug>(message: &M) {
    let bytes = encode(message).unwrap();
    let back: M = decode(&bytes).unwrap();
    // Secrets and chunks hide their content from `Debug`, so the bytes are compared too.
    assert_eq!(format!("{back:?}"), format!("{message:?}"));
    assert_eq!(encode(&back).unwrap(), bytes);
}

fn action() -> impl Strategy<Value = Action> {
    let ids = vec(any::<u64>().prop_map(SourceItemId), 0..MESSAGE_LIST_ENTRIES);
    prop_oneof![
        any::<u64>().prop_map(|nonce| Action::Test { nonce }),
        any::<u32>().prop_map(|milliseconds| Action::Wait { milliseconds }),
        Just(Action::ListFolders),
        (option::of(any::<u64>()), any::<u32>())
            .prop_map(|(after, limit)| Action::ListItems { after: after.map(SourceItemId), limit }),
        (ids, any::<u64>()).prop_map(|(ids, max_bytes)| Action::GetItems { ids, max_bytes }),
        Just(Action::Stop),
        Just(Action::Done),
        (8..u16::MAX).prop_map(Action::Unknown),
    ]
}

fn order() -> impl Strategy<Value = Order> {
    let lease = (any::<u64>(), any::<u64>(), any::<u32>(), option::of(any::<u32>())).prop_map(
        |(action, epoch, seconds, last_kept)| Lease {
            action: ActionId(action),
            epoch: Epoch(epoch),
            seconds,
            last_kept: last_kept.map(ChunkNumber),
        },
    );
    (action(), option::of(lease)).prop_map(|(action, lease)| Order { action, lease })
}

fn data_answer() -> impl Strategy<Value = DataAnswer> {
    prop_oneof![
        option::of(order()).prop_map(|next| DataAnswer::Kept { next }),
        any::<u32>().prop_map(|milliseconds| DataAnswer::TryLater { milliseconds }),
        option::of(any::<u32>()).prop_map(|last| DataAnswer::SendAgain { last_kept: last.map(ChunkNumber) }),
        Just(DataAnswer::Stop),
        (5..u16::MAX).prop_map(DataAnswer::Unknown),
    ]
}

fn credentials() -> impl Strategy<Value = Credentials> {
    (any::<String>(), any::<String>())
        .prop_map(|(user, password)| Credentials { user, password: Secret::new(password) })
}

fn connector() -> impl Strategy<Value = Connector> {
    let texts = [any::<String>(), any::<String>(), any::<String>()];
    (any::<u64>(), texts, option::of(credentials())).prop_map(|(id, [name, kind, location], credentials)| {
        Connector { id: ConnectorId(id), name, kind, location, credentials }
    })
}

fn hello_request() -> impl Strategy<Value = HelloRequest> {
    let texts = (any::<String>(), any::<String>(), vec(any::<String>(), 0..20));
    let state = (any::<u16>(), option::of(any::<i64>()), option::of(any::<String>()));
    (texts, state, any::<(u8, u8)>()).prop_map(|(texts, state, (oldest, newest))| HelloRequest {
        program_version: texts.0,
        speaks: Versions { oldest, newest },
        host: texts.1,
        source_roots: texts.2,
        free_slots: state.0,
        source_answered_unix_ms: state.1,
        restarted_because: state.2,
    })
}

fn hello_answer() -> impl Strategy<Value = HelloAnswer> {
    let limits = any::<(u16, u32, u32)>().prop_map(|(migrators, hello_seconds, alive_seconds)| {
        ExtractorLimits { migrators, hello_seconds, alive_seconds }
    });
    let commands = vec(any::<u16>().prop_map(Command::from), 0..5);
    (limits, any::<String>(), commands).prop_map(|(limits, newest_program_version, commands)| HelloAnswer {
        limits,
        newest_program_version,
        commands,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn orders_come_back(order in order()) {
        prop_assert_eq!(decode::<Order>(&encode(&order).unwrap()).unwrap(), order);
    }

    #[test]
    fn answers_to_data_come_back(answer in data_answer()) {
        prop_assert_eq!(decode::<DataAnswer>(&encode(&answer).unwrap()).unwrap(), answer);
    }

    #[test]
    fn greetings_and_connectors_come_back(
        request in hello_request(),
        answer in hello_answer(),
        connectors in vec(connector(), 0..10),
    ) {
        comes_back(&request);
        comes_back(&answer);
        comes_back(&ConnectorsAnswer { connectors });
    }

    #[test]
    fn chunks_come_back(
        number in any::<u32>(),
        last in any::<bool>(),
        seed in any::<u64>(),
        count in 1..200_000_usize,
    ) {
        let chunk = Chunk::new(ChunkNumber(number), last, noise(seed, count));
        let request = DataRequest { held: HELD, chunk };
        let back: DataRequest = decode(&encode(&request).unwrap()).unwrap();
        prop_assert!(back.chunk.is_intact());
        prop_assert_eq!(back, request);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in vec(any::<u8>(), 0..2_000), zstd in any::<bool>()) {
        let body = [&[1, u8::from(zstd)], &bytes[..]].concat();
        let _ = decode::<Order>(&body);
        let _ = decode::<DataRequest>(&body);
        let _ = decode::<ConnectorsAnswer>(&body);
        let _ = decode::<HelloRequest>(&bytes);
    }
}

/// Bytes that do not compress.
pub fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; count];
    random.fill(&mut bytes);
    bytes
}

#[test]
fn the_largest_chunk_fits_into_a_body() {
    let most = u64::MAX;
    let held = Held { migration: MigrationId(most), action: ActionId(most), epoch: Epoch(most) };
    let chunk = Chunk::new(ChunkNumber(u32::MAX), true, noise(1, CHUNK_BYTES));
    let request = DataRequest { held, chunk };
    let body = encode(&request).unwrap();
    assert!(body.len() <= BODY_BYTES && body.len() > CHUNK_BYTES);
    assert_eq!(decode::<DataRequest>(&body).unwrap(), request);
}

#[test]
fn a_list_that_is_too_long_is_neither_written_nor_read() {
    let answer =
        |count| NotifyAnswer { mark: NotifyMark(1), migrations: vec![MigrationId(1); count], ask_all: false };
    comes_back(&answer(MESSAGE_LIST_ENTRIES));
    assert!(matches!(encode(&answer(MESSAGE_LIST_ENTRIES + 1)), Err(FrameError::Unwritable(_))));
    let ids = vec![SourceItemId(1); MESSAGE_LIST_ENTRIES + 1];
    let action = Action::GetItems { ids, max_bytes: 1 };
    assert!(matches!(encode(&Order { action, lease: None }), Err(FrameError::Unwritable(_))));
    // Mark 1, a list of 1,001 ones, no.
    let mut forged = vec![1, 0, 1, 0xE9, 0x07];
    forged.extend([1; MESSAGE_LIST_ENTRIES + 1]);
    forged.push(0);
    assert!(matches!(decode::<NotifyAnswer>(&forged), Err(FrameError::Damaged(_))));
}

#[test]
fn what_a_newer_peer_says_is_understood_as_unknown() {
    // Number 900 with two bytes of fields, no lease.
    let order: Order = decode(&[1, 0, 0x84, 0x07, 2, 5, 5, 0]).unwrap();
    assert_eq!(order, Order { action: Action::Unknown(900), lease: None });
    assert_eq!(decode::<DataAnswer>(&[1, 0, 77, 0]).unwrap(), DataAnswer::Unknown(77));
    assert_eq!(u16::from(Command::Unknown(12)), 12);
    assert_eq!(Command::from(2), Command::Drain);
    let refusal = Refusal {
        speaks: Versions { oldest: 4, newest: 5 },
        reason: Reason::Unknown(99),
        text: String::new(),
    };
    let Err(FrameError::Refused(back)) = decode::<Order>(&refusal.encode()) else { panic!("not refused") };
    assert_eq!(back, refusal);
}

#[test]
fn the_fields_of_a_known_action_fill_their_place() {
    assert!(decode::<Order>(&[1, 0, 6, 0, 0]).is_ok());
    assert!(decode::<Order>(&[1, 0, 6, 1, 0, 0]).is_err(), "a stop with fields");
    assert!(decode::<Order>(&[1, 0, 2, 0, 0]).is_err(), "a wait without its time");
}

#[test]
fn invariant_f_no_message_shows_a_secret() {
    let code = Secret::new("open sesame");
    let enrol = EnrolRequest { code: code.clone(), host: "h".to_owned(), program_version: "1".to_owned() };
    let credentials = Credentials { user: "jane".to_owned(), password: code };
    assert!(!format!("{enrol:?} {credentials:#?}").contains("sesame"));
    let back: EnrolRequest = decode(&encode(&enrol).unwrap()).unwrap();
    assert_eq!(back.code.expose(), "open sesame");
}

/// Both sides find the call and the type of its answer by the request.
#[test]
fn every_call_has_a_name_of_its_own() {
    use notesferry::protocol::{action, calls};
    let names = [
        EnrolRequest::CALL,
        HelloRequest::CALL,
        calls::ConnectorsRequest::CALL,
        calls::MigrationsRequest::CALL,
        calls::FoundRequest::CALL,
        calls::NotifyRequest::CALL,
        calls::TestRequest::CALL,
        action::ActionRequest::CALL,
        DataRequest::CALL,
        calls::AliveRequest::CALL,
    ];
    assert_eq!(
        names,
        ["enrol", "hello", "connectors", "migrations", "found", "notify", "test", "action", "data", "alive"]
    );
    let answer: <calls::AliveRequest as Request>::Answer = decode(&[1, 0, 1]).unwrap();
    assert!(answer.stop);
}
