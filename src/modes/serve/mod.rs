//! `notesferry serve`: the server, in one process, until it is told to stop.
//!
//! Joins the parts: the data folder, the public port behind the gate, and the two private sockets. Log lines go to
//! standard error; standard output gets a line when everything is open, and the code of the first start while there is
//! no user.

mod builtin;
mod heaps;
mod settings;

use crate::base::clock::SystemClock;
use crate::base::secret::Secret;
use crate::buffers::action::LeaseSettings;
use crate::buffers::data::DataLimits;
use crate::modes::{Exit, Failure, address_book};
use crate::server::api::{Api, ServerFacts};
use crate::server::communication::CommunicationSettings;
use crate::server::gate::{self, Gate, GateLimits, GateSettings, Upstream, certificate};
use crate::server::listener::{self, Door, Listener, Service};
use crate::server::machine::{Machine, MachineError, MachineSettings};
use crate::server::scheduler::SchedulerSettings;
use crate::server::website::Website;
use crate::store::{StoreError, seal};
use builtin::Builtin;
use clap::Args;
use settings::{Buffers, Conversion, Extractors, Passes, Settings};
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, atomic};
use std::time::Duration;

/// The socket of the command line, in the data folder.
pub const ADMIN_SOCKET: &str = "admin.sock";

/// The socket of the gate, in the data folder.
const GATE_SOCKET: &str = "gate.sock";

/// Runs the server: keeps the records, and tells extractors what to do.
///
/// It runs until Ctrl-C or a polite kill. `notesferry admin` speaks to it from the same machine.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub struct ServeArguments {
    /// The folder for everything that the server keeps. It is made if it is missing, and private to its owner.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data_dir: PathBuf,

    /// The address that extractors connect to. Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// Plain HTTP instead of HTTPS; only on an address of this machine, such as 127.0.0.1, or behind a trusted proxy.
    #[arg(long)]
    http: bool,

    /// The certificate chain of the server, as a PEM file.
    ///
    /// Without it the server makes a certificate at its first start, and enrolment codes name it.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The key of the certificate, as a PEM file.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// The address of a reverse proxy in front of the server; may be given several times.
    ///
    /// Its X-Forwarded-For names the client. With --http nobody but the proxies and this machine is answered.
    #[arg(long, value_name = "ADDRESS")]
    trusted_proxy: Vec<IpAddr>,

    /// Where people and extractors find the server, if that is the address of a proxy.
    #[arg(long, value_name = "URL", value_parser = public_address)]
    public_address: Option<String>,

    /// Show the page from this folder instead of the one inside the program; for those who change it.
    #[arg(long, value_name = "DIR")]
    web_dir: Option<PathBuf>,

    /// The file with the settings (default: notesferry.toml in the data folder, if it is there).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print a settings file with every setting, and end.
    #[arg(long)]
    print_config: bool,
}

const HELP: &str = "\
Exit codes:
  0  stopped by Ctrl-C or a polite kill
  2  wrong usage or settings, or the data folder or the port cannot be used";

/// Runs the server until it is stopped.
pub fn run(arguments: &ServeArguments) -> Exit {
    if arguments.print_config {
        // Whoever reads it has seen enough if this fails.
        let _ = io::stdout().write_all(Settings::template().as_bytes());
        return Exit::Complete;
    }
    heaps::share();
    match serve(arguments) {
        Ok(()) => Exit::Complete,
        Err(failure) => {
            eprintln!("notesferry: {}", failure.sentence);
            failure.exit
        }
    }
}

fn serve(arguments: &ServeArguments) -> Result<(), Failure> {
    let settings = settings(arguments)?;
    let folder = open_folder(&arguments.data_dir)?;
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(settings.log_level.filter())
        .with_target(false)
        .with_ansi(false)
        .init();
    let stop = stop_on_signal()?;
    let machine = open_machine(&folder, &settings)?;
    let opened = open_doors(&folder, &settings, arguments.web_dir.clone(), &machine);
    let open = opened.inspect_err(|_| machine.shut_down())?;
    let builtin = start_builtin(&folder, &settings, &machine, &open);
    let builtin = match builtin {
        Ok(builtin) => builtin,
        Err(failure) => {
            machine.shut_down();
            return Err(failure);
        }
    };
    // Nobody has to read it.
    let _ = writeln!(io::stdout(), "notesferry serves {}", open.address);
    if let Some(code) = &open.first_code {
        let _ = writeln!(io::stdout(), "first start: open that address and enter the code {}", code.expose());
    }
    tracing::info!(address = open.address, data_folder = %folder.display(), "ready");
    // An error would mean that no signal can come any more.
    let _ = stop.recv();
    tracing::info!("stopping");
    if !builtin.is_none_or(Builtin::close) {
        tracing::warn!("the built-in extractor did not end in time");
    }
    machine.shut_down();
    open.close();
    tracing::info!("stopped");
    Ok(())
}

/// The settings of the file, and over them what stands on the command line.
fn settings(arguments: &ServeArguments) -> Result<Settings, Failure> {
    let mut settings = Settings::load(&arguments.data_dir, arguments.config.as_deref())?;
    settings.listen = arguments.listen.unwrap_or(settings.listen);
    settings.http |= arguments.http;
    if arguments.tls_cert.is_some() {
        settings.tls_certificate.clone_from(&arguments.tls_cert);
        settings.tls_key.clone_from(&arguments.tls_key);
    }
    if !arguments.trusted_proxy.is_empty() {
        settings.trusted_proxies.clone_from(&arguments.trusted_proxy);
    }
    if arguments.public_address.is_some() {
        settings.public_address.clone_from(&arguments.public_address);
    }
    if settings.http && !settings.listen.ip().is_loopback() && settings.trusted_proxies.is_empty() {
        let sentence = format!(
            "plain HTTP on {} would show passwords and mail to the network; leave --http out, listen on an address of \
             this machine such as 127.0.0.1, or name the proxy in front with --trusted-proxy",
            settings.listen
        );
        return Err(Failure::new(Exit::Usage, sentence));
    }
    Ok(settings)
}

fn open_folder(path: &Path) -> Result<PathBuf, Failure> {
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o700)))
        .and_then(|()| path.canonicalize());
    made.map_err(|error| usage(format!("the data folder {} cannot be used: {error}", path.display())))
}

fn open_machine(folder: &Path, settings: &Settings) -> Result<Arc<Machine>, Failure> {
    let Passes { at_once, retry_first_seconds, retry_most_seconds, conversion_threads } = settings.passes;
    let Extractors { mailboxes_at_once, hello_seconds, alive_seconds, lease_seconds, attempts } =
        settings.extractors;
    let Buffers { mailbox_mebibytes, all_mebibytes, free_disk_mebibytes } = settings.buffers;
    let Conversion { directories, address_table, vcard, journal } = &settings.conversion;
    let settings = MachineSettings {
        scheduler: SchedulerSettings {
            running: number(at_once),
            retry_first_ms: retry_first_seconds * 1_000,
            retry_most_ms: retry_most_seconds * 1_000,
        },
        leases: LeaseSettings { lease: Duration::from_secs(lease_seconds), attempts: number(attempts) },
        data: DataLimits {
            buffer_bytes_per_migration: mailbox_mebibytes << 20,
            all_bytes: all_mebibytes << 20,
            reserve_free_bytes: free_disk_mebibytes << 20,
        },
        communication: CommunicationSettings {
            migrators: number(mailboxes_at_once),
            hello_seconds: number(hello_seconds),
            alive_seconds: number(alive_seconds),
            ..CommunicationSettings::default()
        },
        conversion_threads: number(conversion_threads),
        directory: Arc::new(address_book::read(directories, address_table.as_deref())?),
        choices: address_book::choices(*vcard, *journal),
    };
    Machine::open(folder, settings).map_err(|error| match error {
        MachineError::Store(StoreError::InUse { .. }) => {
            usage(format!("another notesferry uses the data folder {} already", folder.display()))
        }
        error => usage(error.to_string()),
    })
}

/// A setting in the type of its user; the bounds of the settings are narrower than any of these types.
fn number<N: TryFrom<u64>>(setting: u64) -> N {
    N::try_from(setting).unwrap_or_else(|_| panic!("a bound of the settings is too wide: {setting}"))
}

/// Everything that is open to others.
struct Open {
    /// As people and other machines name it.
    address: String,
    fingerprint: Option<String>,
    /// Makes the first administrator.
    first_code: Option<Secret>,
    gate: Gate,
    listeners: [Listener; 2],
    service: Arc<Service>,
}

impl Open {
    /// Takes nothing new in and lets end what is under way.
    fn close(self) {
        self.gate.stop();
        drop(self.listeners);
        if !self.service.finish() {
            tracing::warn!("some requests did not end in time");
        }
    }
}

fn open_doors(
    folder: &Path,
    settings: &Settings,
    web_folder: Option<PathBuf>,
    machine: &Arc<Machine>,
) -> Result<Open, Failure> {
    let certificate = match (&settings.tls_certificate, &settings.tls_key) {
        _ if settings.http => None,
        (Some(certificate), Some(key)) => Some(certificate::load(certificate, key)),
        _ => Some(certificate::load_or_make(folder, &settings.tls_names)),
    };
    let certificate = certificate.transpose().map_err(|error| usage(error.to_string()))?;
    let secret = random_secret().map_err(|error| usage(error.to_string()))?;
    let gate = gate::open(GateSettings {
        listen: settings.listen,
        tls: certificate.as_ref().map(|certificate| Arc::clone(&certificate.config)),
        limits: GateLimits::default(),
        trusted_proxies: settings.trusted_proxies.clone(),
        upstream: Upstream::Socket(folder.join(GATE_SOCKET)),
        secret: secret.clone(),
        listener: Box::new(|event| tracing::warn!("public port: {event}")),
    });
    let gate = gate.map_err(|error| usage(error.to_string()))?;
    let address = address(settings, gate.local_addr());
    let fingerprint = certificate.map(|certificate| certificate.fingerprint);
    let clock = SystemClock::new();
    let facts = ServerFacts {
        data_folder: folder.to_owned(),
        started_unix_ms: clock.now().unix_ms,
        address: address.clone(),
        // A certificate that was given is vouched for by an authority, and replaced from time to time; behind a proxy
        // extractors see that of the proxy.
        fingerprint: fingerprint
            .clone()
            .filter(|_| settings.tls_certificate.is_none() && settings.public_address.is_none()),
    };
    let api = Api::new(Arc::clone(machine), facts, move || clock.now())?;
    let first_code = api.first_code()?.cloned();
    let service = Service::new(machine, api, Website::new(web_folder));
    let listen = |name: &str, door: Door| {
        let path = folder.join(name);
        let opened = listener::listen(&path, door, &service);
        opened.map_err(|error| usage(format!("cannot listen on {}: {error}", path.display())))
    };
    let listeners = [listen(GATE_SOCKET, Door::Gate(secret))?, listen(ADMIN_SOCKET, Door::Admin)?];
    Ok(Open { address, fingerprint, first_code, gate, listeners, service })
}

fn start_builtin(
    folder: &Path,
    settings: &Settings,
    machine: &Machine,
    open: &Open,
) -> Result<Option<Builtin>, Failure> {
    if settings.builtin.sources.is_empty() {
        return Ok(None);
    }
    let scheme = if settings.http { "http" } else { "https" };
    let mut local = open.gate.local_addr();
    match local.ip() {
        IpAddr::V4(any) if any.is_unspecified() => local.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(any) if any.is_unspecified() => local.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let address = format!("{scheme}://{local}");
    builtin::start(folder, &settings.builtin, &address, open.fingerprint.as_deref(), machine).map(Some)
}

/// Where others find the server. An address that stands for all of this machine is no place to connect to.
fn address(settings: &Settings, local: SocketAddr) -> String {
    if let Some(address) = &settings.public_address {
        return address.clone();
    }
    let scheme = if settings.http { "http" } else { "https" };
    match settings.tls_names.first() {
        Some(name) if local.ip().is_unspecified() => format!("{scheme}://{name}:{}", local.port()),
        _ => format!("{scheme}://{local}"),
    }
}

fn random_secret() -> io::Result<Secret> {
    let bytes = seal::random::<32>()?;
    Ok(Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

/// Gets a message at Ctrl-C and a polite kill. The second one ends the process at once, which loses nothing that was
/// promised.
fn stop_on_signal() -> Result<Receiver<()>, Failure> {
    let (sender, stop) = mpsc::channel();
    let stopping = atomic::AtomicBool::new(false);
    let handler = move || {
        if stopping.swap(true, atomic::Ordering::Relaxed) {
            std::process::exit(Exit::Stopped.code().into());
        }
        // Before the server waits for it the message is kept.
        let _ = sender.send(());
    };
    let set = ctrlc::set_handler(handler);
    set.map_err(|error| usage(format!("Ctrl-C cannot be watched for: {error}")))?;
    Ok(stop)
}

fn public_address(text: &str) -> Result<String, String> {
    settings::check_address(text).map(|()| text.to_owned())
}

fn usage(sentence: String) -> Failure {
    Failure::new(Exit::Usage, sentence)
}
