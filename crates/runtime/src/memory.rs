//! Memory that is free but still held.
//!
//! The system's allocator keeps what was freed in pieces between others that are in use. After a burst of
//! small pieces that is most of a process: the store held 52 MB after it had written its head to disk, and 16 MB
//! after giving the rest back.

/// Keeps the allocator from making a heap of its own for nearly every thread: as many as cores, two at least, are
/// enough for them not to wait for each other. Each heap keeps pages that only it can use: 20,000 series took 3 MB less
/// with two heaps, a dozen queries on them 36 MB less. Call it before the first thread. Does nothing where the
/// allocator is not glibc's.
pub fn keep_few_heaps() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    limit_heaps();
}

/// `M_ARENA_MAX` of glibc's malloc.h.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENA_MAX: std::ffi::c_int = -8;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "the one function of glibc that does this has no safe wrapper"
)]
fn limit_heaps() {
    unsafe extern "C" {
        fn mallopt(parameter: std::ffi::c_int, value: std::ffi::c_int) -> std::ffi::c_int;
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let heaps = std::ffi::c_int::try_from(cores.max(2)).unwrap_or(std::ffi::c_int::MAX);
    // SAFETY: declared as in glibc's malloc.h; it sets a number under the allocator's own lock. Where it refuses,
    // there are more heaps and nothing else.
    let _taken = unsafe { mallopt(ARENA_MAX, heaps) };
}

/// Hands pages that hold nothing back to the operating system. Takes milliseconds for each 100 MB, during which
/// other threads wait when they allocate. Does nothing where the allocator is not glibc's.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    trim();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "the one function of glibc that does this has no safe wrapper"
)]
fn trim() {
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> std::ffi::c_int;
    }
    // SAFETY: declared as in glibc's malloc.h; it may be called at any time from any thread and touches only
    // pages that hold no allocation.
    let _released = unsafe { malloc_trim(0) };
}

/// Bytes of memory that this process may use at most: what the machine has, or its control group allows if that is less.
/// `None` where the system does not say so as Linux does.
#[must_use]
pub fn of_machine() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let groups = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    let of_group = groups.into_iter().filter_map(read);
    // "max" stands for no limit.
    let of_group = of_group.filter_map(|text| text.trim().parse().ok());
    let of_system = read("/proc/meminfo").and_then(|text| of_meminfo(&text));
    of_group.chain(of_system).min()
}

/// The line `MemTotal:  24683112 kB`.
fn of_meminfo(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn reads_meminfo() {
        let check = |text, want| assert_eq!(super::of_meminfo(text), want, "{text}");
        check(
            "MemTotal:       24683112 kB\nMemFree: 1 kB\n",
            Some(24_683_112 << 10),
        );
        check("MemFree: 1 kB\n", None);
        check("MemTotal: much kB\n", None);
        check("MemTotal: 18446744073709551615 kB\n", None);
        #[cfg(target_os = "linux")]
        assert!(super::of_machine().is_some_and(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn what_is_in_use_stays() {
        super::keep_few_heaps();
        let held: Vec<String> = (0..1000_u32).map(|i| i.to_string().repeat(50)).collect();
        super::give_back();
        assert!(
            (0..1000_u32)
                .zip(&held)
                .all(|(i, text)| *text == i.to_string().repeat(50))
        );
    }
}
