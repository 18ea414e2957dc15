//! The crash campaign: server, guardian, coordinator, migrator and `migrate` are killed, frozen and cut from each other
//! and from the target, at points of a run whose length was measured first. Afterwards the mailbox is the one that an
//! undisturbed run makes, every placement once, and the ledger knows that.
//!
//! A round follows from its seed, as far as processes can. `NOTESFERRY_SEED` reruns one.

use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::long;
use crate::support::machine::{Machine, Role};
use crate::support::placements::{Placement, assert_same, expected, in_dovecot};
use crate::support::proxy::{Cut, Meter, Proxy};
use fastrand::Rng;
use notesferry::forge::mailbox::{self, Extras, MailboxOptions};
use notesferry::forge::version::Version;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const MAILS: u64 = 80;
/// Rounds mostly wait, so some go side by side.
const SIDE_BY_SIDE: usize = 4;
/// Short leases, so that a freeze can outlive one; and no giving up, because nothing here is to blame.
const SETTINGS: &str = "[extractors]
hello_seconds = 5
alive_seconds = 1
lease_seconds = 2
attempts = 100
[passes]
retry_first_seconds = 1
retry_most_seconds = 1
";
/// A run in which nothing moves for so long has to be helped along.
const STILL: Duration = Duration::from_millis(300);
/// This outlives a lease.
const LONG_STILL: Duration = Duration::from_millis(2_500);

#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill(Role),
    Freeze(Role),
    Thaw(Role),
}

/// What happens in a round.
#[derive(Debug)]
struct Plan {
    seed: u64,
    /// After so many bytes on all lines, or when nothing has moved for so long.
    faults: Vec<(u64, Duration, Fault)>,
    cuts_to_server: Vec<Cut>,
    cuts_to_target: Vec<Cut>,
}

impl Plan {
    fn new(seed: u64, bytes: u64, roles: &[Role]) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut faults = Vec::new();
        for _ in 0..random.usize(1..=4) {
            let role = roles[random.usize(..roles.len())];
            let at = random.u64(..bytes);
            let still = if random.u8(..6) == 0 { LONG_STILL } else { STILL };
            if random.u8(..3) > 0 {
                faults.push((at, still, Fault::Kill(role)));
            } else {
                faults.push((at, STILL, Fault::Freeze(role)));
                faults.push((at + random.u64(..bytes / 2), still, Fault::Thaw(role)));
            }
        }
        faults.sort_by_key(|(at, ..)| *at);
        let mut cuts = |most: usize| {
            let cut = |random: &mut Rng| match random.u8(..3) {
                0 => Cut::Answered(random.u64(1..5_000)),
                _ => Cut::Asked(random.u64(1..bytes / 2)),
            };
            (0..random.usize(..=most)).map(|_| cut(&mut random)).collect()
        };
        let (cuts_to_server, cuts_to_target) = (cuts(6), cuts(3));
        Self { seed, faults, cuts_to_server, cuts_to_target }
    }
}

impl Drop for Plan {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("NOTESFERRY_SEED={} runs this round again: {self:?}", self.seed);
        }
    }
}

/// What all rounds share.
struct Bench {
    server: Dovecot,
    folder: TempDir,
    source: PathBuf,
    expected: BTreeSet<Placement>,
    /// Bytes to server and target in a run that nothing disturbs.
    bytes: u64,
    /// The same of `migrate`.
    migrate_bytes: u64,
    /// Processes that were killed or frozen, and lines that were cut.
    struck: AtomicUsize,
}

impl Bench {
    fn new() -> Option<Self> {
        let server = Dovecot::start()?;
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("notes");
        std::fs::create_dir(&source).unwrap();
        let options = MailboxOptions { version: Version::Ods52, mails: MAILS, seed: 9 };
        let extras = Extras { copies: 3, attachment_bytes: 1 << 20, ..Extras::default() };
        mailbox::forge_with(&source.join("jane.nsf"), &options, &extras).unwrap();
        let expected = expected(&source.join("jane.nsf"), &folder.path().join("expected"));
        let mut bench = Self {
            server,
            folder,
            source,
            expected,
            bytes: 0,
            migrate_bytes: 0,
            struck: AtomicUsize::new(0),
        };
        let undisturbed =
            || Plan { seed: 0, faults: Vec::new(), cuts_to_server: Vec::new(), cuts_to_target: Vec::new() };
        bench.bytes = bench.machine_round(&undisturbed());
        bench.migrate_bytes = bench.migrate_round(&undisturbed());
        Some(bench)
    }

    fn round(&self, seed: u64) {
        let start = Instant::now();
        // One process has less to go wrong.
        if seed.is_multiple_of(5) {
            self.migrate_round(&Plan::new(seed, self.migrate_bytes, &[Role::Server]));
        } else {
            self.machine_round(&Plan::new(seed, self.bytes, &Role::ALL));
        }
        eprintln!("round with seed {seed}: {:.1} s", start.elapsed().as_secs_f64());
    }

    fn assert_arrived(&self, user: &str, seed: u64) {
        assert_same(&in_dovecot(&self.server, user), &self.expected, &format!("seed {seed}"));
    }

    /// Carries the mailbox with server and extractor; gives the bytes that went.
    fn machine_round(&self, plan: &Plan) -> u64 {
        let user = self.server.new_user();
        let meter = Arc::new(Meter::default());
        let to_target = Proxy::counting(self.server.port, &meter);
        let mut machine = Machine::start(&self.source, SETTINGS, PASSWORD);
        let to_server = Proxy::counting(machine.port, &meter);
        machine.enrol(to_server.port);
        let target = format!("imap://{user}@127.0.0.1:{}", to_target.port);
        let mailbox = machine.add_mailbox("jane.nsf", &target);
        to_server.cut_at(plan.cuts_to_server.iter().copied());
        to_target.cut_at(plan.cuts_to_target.iter().copied());
        let start = meter.bytes();
        let pass = machine.json(&["pass", "start", &mailbox])["id"].to_string();
        for (at, still, fault) in &plan.faults {
            meter.wait_for(start + at, *still);
            self.strike(&mut machine, &to_server, *fault);
        }
        for role in Role::ALL {
            machine.signal(role, Signal::CONT);
        }
        let tally = machine.wait_for(&pass);
        let bytes = meter.bytes() - start;
        self.count(to_server.done() + to_target.done());
        let count = |name: &str| tally[name].as_u64().unwrap();
        assert_eq!(count("found"), count("delivered") + count("already_there"), "{tally}");
        self.assert_arrived(&user, plan.seed);
        let again = machine.pass(&mailbox);
        assert_eq!((&again["delivered"], &again["already_there"]), (&0.into(), &tally["found"]), "{tally}");
        bytes
    }

    fn strike(&self, machine: &mut Machine, to_server: &Proxy, fault: Fault) {
        match fault {
            Fault::Kill(role) => {
                self.count(machine.signal(role, Signal::KILL).into());
                match role {
                    Role::Server => {
                        machine.server_ended();
                        machine.start_server();
                        to_server.lead_to(machine.port);
                    }
                    Role::Guardian => {
                        machine.extractor_ended();
                        machine.start_extractor(to_server.port, None);
                    }
                    Role::Coordinator | Role::Migrator => {}
                }
            }
            Fault::Freeze(role) => self.count(machine.signal(role, Signal::STOP).into()),
            // It may have been killed.
            Fault::Thaw(role) => drop(machine.signal(role, Signal::CONT)),
        }
    }

    fn count(&self, struck: usize) {
        self.struck.fetch_add(struck, Ordering::Relaxed);
    }

    /// Carries the mailbox with `migrate`; gives the bytes that went.
    fn migrate_round(&self, plan: &Plan) -> u64 {
        let user = self.server.new_user();
        let meter = Arc::new(Meter::default());
        let to_target = Proxy::counting(self.server.port, &meter);
        let target = format!("imap://{user}@127.0.0.1:{}", to_target.port);
        let state = self.folder.path().join(&user);
        let start = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
            command.arg("migrate").arg(self.source.join("jane.nsf")).arg(&target).arg("--state-dir");
            command.arg(&state).args(["--all-documents", "--json"]);
            command.env("NOTESFERRY_TARGET_PASSWORD", PASSWORD);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            Run(command.spawn().unwrap())
        };
        to_target.cut_at(plan.cuts_to_target.iter().copied());
        let mut run = start();
        for (at, still, fault) in &plan.faults {
            meter.wait_for(*at, *still);
            match fault {
                Fault::Kill(_) => {
                    run.signal(Signal::KILL);
                    run.0.wait().unwrap();
                    run = start();
                }
                Fault::Freeze(_) => run.signal(Signal::STOP),
                Fault::Thaw(_) => run.signal(Signal::CONT),
            }
        }
        run.signal(Signal::CONT);
        // Where the lines were cut too often it gave up, and another run goes on.
        for _ in 0..plan.cuts_to_target.len() {
            if run.0.wait().unwrap().success() {
                break;
            }
            run = start();
        }
        assert!(run.0.wait().unwrap().success());
        let bytes = meter.bytes();
        self.count(to_target.done());
        self.assert_arrived(&user, plan.seed);
        bytes
    }
}

/// A `migrate` that ends with the test.
struct Run(Child);

impl Run {
    fn signal(&self, signal: Signal) {
        // It may have ended already; until it is waited for, nothing else has its number.
        let _ = kill_process(Pid::from_child(&self.0), signal);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn whatever_is_killed_frozen_or_cut_everything_arrives_once() {
    let Some(bench) = Bench::new() else { return };
    if let Ok(seed) = std::env::var("NOTESFERRY_SEED") {
        return bench.round(seed.parse().unwrap());
    }
    let rounds = if long() { 500 } else { 40 };
    let first = if long() { fastrand::u64(..u64::from(u32::MAX)) } else { 1 };
    eprintln!("seeds from {first}; an undisturbed run has {} bytes", bench.bytes);
    let next = AtomicU64::new(first);
    let seeds = || Some(next.fetch_add(1, Ordering::SeqCst)).filter(|seed| *seed < first + rounds);
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| std::iter::from_fn(seeds).for_each(|seed| bench.round(seed)));
        }
    });
    let struck = bench.struck.into_inner();
    eprintln!("{rounds} rounds: {struck} processes and lines were struck");
    assert!(struck as u64 > rounds, "{struck}");
}
