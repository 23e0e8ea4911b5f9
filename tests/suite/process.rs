//! The resources that a running program uses, as the kernel counts them.

use std::path::Path;
use std::time::Duration;

/// Processor time of all threads of the process so far.
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

/// A value of the process's status in kilobytes, such as `VmHWM`, its peak memory.
fn kilobytes(pid: u32, name: &str) -> u64 {
    let status =
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Peak memory of the process, in kilobytes. The kernel's figures are rough: a later one can be a little lower.
pub fn peak_memory(pid: u32) -> u64 {
    kilobytes(pid, "VmHWM:")
}
