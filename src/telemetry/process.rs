//! What the operating system says about this process. On other systems than Linux the answer is zero.

/// Resident memory in bytes.
pub(super) fn resident_bytes() -> i64 {
    let kilobytes = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse::<i64>().ok()
    });
    kilobytes.unwrap_or(0).saturating_mul(1024)
}

/// Open files, the folder that is read to count them included.
pub(super) fn open_files() -> i64 {
    std::fs::read_dir("/proc/self/fd").map_or(0, |files| i64::try_from(files.count()).unwrap_or(i64::MAX))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_files() {
        assert!(resident_bytes() > 1024 * 1024);
        assert!(open_files() >= 3);
    }
}
