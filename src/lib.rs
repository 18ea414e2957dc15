//! Notesferry carries Lotus/HCL Notes mailboxes to modern mail systems, each item accounted for.
//!
//! Reading order for newcomers: `notes` (what Notes data is), `sources::nsf` (how it lies on disk), `model` (what
//! travels), `conversion` (how a document becomes a message), `destinations` (how it is stored), `store` and
//! `server::delivery` (why nothing arrives twice), `protocol` (what extractor and server say to each other),
//! `extractor` (how it reads beside the mail data), `modes::migrate` (how the parts meet), `server::machine` and
//! `modes::serve` (how they become a server).
//!
//! Arrows between the modules, checked by `tests/tidy.rs`: `modes` may use everything; `sources`, `conversion` and
//! `destinations` never name one another and meet in `model`; everyone may use `base`.

pub mod base;
pub mod buffers;
pub mod connectors;
pub mod conversion;
pub mod destinations;
pub mod extractor;
pub mod forge;
pub mod model;
pub mod modes;
pub mod notes;
pub mod protocol;
pub mod server;
pub mod sources;
pub mod store;
