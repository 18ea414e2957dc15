//! How many heaps the threads of the server share.
//!
//! The allocator of glibc gives threads heaps of their own, up to eight for each core, and a heap keeps what it once
//! used: a server that has 20 MiB in use holds 60 MiB on two cores, and more on each further one. Two heaps hold about
//! what is in use, at the same speed. The allocator reads their number from the environment when a program starts, so
//! the program starts itself once more, as the same process.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Where the allocator looks.
const HEAPS: &str = "MALLOC_ARENA_MAX";

/// Returns when this process has few heaps, or an allocator that has none; what an administrator has set stays.
pub fn share() {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) || env::var_os(HEAPS).is_some() {
        return;
    }
    if let Err(error) = start_again() {
        // It only needs more memory than it should.
        eprintln!("notesferry: cannot start with fewer heaps: {error}");
    }
}

/// Returns only when that failed.
fn start_again() -> io::Result<()> {
    let error = Command::new(env::current_exe()?).args(env::args_os().skip(1)).env(HEAPS, "2").exec();
    Err(error)
}
