//! What a running program uses of the machine, as the kernel counts it.

use std::path::Path;
use std::time::Duration;

/// Processor time of all its threads so far.
pub fn cpu(pid: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let times = tasks.map(|task| {
        // A thread may end meanwhile.
        let text = std::fs::read_to_string(task.unwrap().path().join("schedstat"));
        let text = text.unwrap_or_default();
        text.split(' ')
            .next()
            .unwrap_or_default()
            .parse()
            .unwrap_or(0)
    });
    Duration::from_nanos(times.sum())
}

/// A line of its status in kilobytes, such as `VmHWM`, the most memory that it ever had.
fn kilobytes(pid: u32, name: &str) -> u64 {
    let status =
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The most memory that it ever had, in kilobytes. The kernel counts roughly: a later figure can be a little lower.
pub fn peak_memory(pid: u32) -> u64 {
    kilobytes(pid, "VmHWM:")
}
