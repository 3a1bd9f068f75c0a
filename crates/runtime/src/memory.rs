//! Memory that is free but still held.
//!
//! The system's allocator keeps what was freed in pieces between others that are in use. After a burst of
//! small pieces that is most of a process: the store held 52 MB after it had written its head to disk, and 16 MB
//! after giving the rest back.

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

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_in_use_stays() {
        let held: Vec<String> = (0..1000_u32).map(|i| i.to_string().repeat(50)).collect();
        super::give_back();
        assert!(
            (0..1000_u32)
                .zip(&held)
                .all(|(i, text)| *text == i.to_string().repeat(50))
        );
    }
}
