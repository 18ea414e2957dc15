//! Every table of `state.redb`, on one page.
//!
//! Values are records of `store::record`. Keys begin with the mailbox at the destination, as its canonical text.

use redb::TableDefinition;

/// Facts about the file itself; [`SCHEMA`] is the only one.
pub const META: TableDefinition<&str, u32> = TableDefinition::new("meta");

/// The key of the schema version in [`META`].
pub const SCHEMA: &str = "schema";

/// The version of these tables that this program writes. It reads this one and all before.
pub const SCHEMA_VERSION: u32 = 4;

/// (mailbox, origin) -> what became of the item and where its placements lie.
pub const LEDGER: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("ledger");

/// (mailbox, placement id) -> a placement whose bytes may have left us and whose answer is not recorded.
pub const IN_FLIGHT: TableDefinition<(&str, [u8; 16]), &[u8]> = TableDefinition::new("in_flight");

/// (mailbox, folder parts joined by NUL): the target folder was empty or surveyed before our first delivery.
pub const FOLDERS: TableDefinition<(&str, &str), ()> = TableDefinition::new("folders");

/// (mailbox, removal record): an older copy that was replaced and is still to be taken out.
pub const REMOVALS: TableDefinition<(&str, &[u8]), ()> = TableDefinition::new("removals");

/// (mailbox, identity) -> the item by which a mail or entry was delivered that lies in several databases.
pub const TWINS: TableDefinition<(&str, [u8; 16]), &[u8]> = TableDefinition::new("twins");

/// (kind, number) -> a line of the configuration, as `store::config` says.
pub const CONFIG: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("config");

/// Number -> who changed what and when, as `store::audit` says.
pub const AUDIT: TableDefinition<u64, &[u8]> = TableDefinition::new("audit");

/// Migration -> what it is to do next, as `store::actions` says.
pub const ACTIONS: TableDefinition<u64, &[u8]> = TableDefinition::new("actions");

/// What is counted -> the last number that was given.
pub const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");
