//! Whether another program has the database open for writing.
//!
//! A Domino server or Notes client keeps its files open, and with transaction logging the file lags behind what users
//! see. So a file in use is never read as if it were complete.

use std::path::Path;

/// A sentence that says who has the file open for writing, where the system tells; `None` means nobody we can see.
#[cfg(target_os = "linux")]
pub fn writer_of(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let own = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().into_string().ok());
    pids.find_map(|pid| {
        if pid == own || !pid.bytes().all(|byte| byte.is_ascii_digit()) || !writes(&pid, &path) {
            return None;
        }
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        Some(format!("process {pid} ({}) has it open for writing", name.trim()))
    })
}

/// Whether a process holds a descriptor on the file that can write.
#[cfg(target_os = "linux")]
fn writes(pid: &str, path: &Path) -> bool {
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors.flatten().any(|descriptor| {
        let same = std::fs::read_link(descriptor.path()).is_ok_and(|target| target == path);
        let number = descriptor.file_name();
        same && opened_for_writing(&format!("/proc/{pid}/fdinfo/{}", number.to_string_lossy()))
    })
}

/// Reads the access mode of a descriptor: the last octal digits of its `flags` line, 1 or 2 for writing (open(2)).
#[cfg(target_os = "linux")]
fn opened_for_writing(info: &str) -> bool {
    let Ok(info) = std::fs::read_to_string(info) else { return false };
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| matches!(flags & 3, 1 | 2))
}

/// Elsewhere the open call itself fails on a file that is in use (a sharing violation on Windows).
#[cfg(not(target_os = "linux"))]
pub fn writer_of(_path: &Path) -> Option<String> {
    None
}

/// Whether an error of opening means that another program holds the file: ERROR_SHARING_VIOLATION or
/// ERROR_LOCK_VIOLATION of Windows.
pub fn is_sharing_violation(error: &std::io::Error) -> bool {
    cfg!(windows) && matches!(error.raw_os_error(), Some(32 | 33))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_writer_is_seen_and_a_reader_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.nsf");
        std::fs::write(&path, b"x").unwrap();
        for (open, seen) in [("exec 3<>\"$0\"", true), ("exec 3<\"$0\"", false)] {
            // The shell tells that the file is open, then waits for its input to end.
            let mut shell = Command::new("sh")
                .args(["-c", &format!("{open}; echo open; read line")])
                .arg(&path)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = String::new();
            std::io::BufRead::read_line(
                &mut std::io::BufReader::new(shell.stdout.take().unwrap()),
                &mut line,
            )
            .unwrap();
            assert_eq!(writer_of(&path).is_some(), seen, "{open}");
            drop(shell.stdin.take());
            shell.wait().unwrap();
        }
        assert_eq!(writer_of(&path), None);
    }
}
