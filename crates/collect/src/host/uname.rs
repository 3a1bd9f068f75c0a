//! What the kernel calls itself.

use super::{Family, Reading, SensorError};

#[expect(
    clippy::unnecessary_wraps,
    reason = "all collectors have the same signature"
)]
pub(super) fn collect(_reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let names = rustix::system::uname();
    let mut family = Family::gauge(
        "node_uname_info",
        "Labeled system information as provided by the uname system call.",
    );
    let text = |name: &std::ffi::CStr| name.to_string_lossy().into_owned();
    family.add(
        [
            ("domainname", &text(names.domainname())),
            ("machine", &text(names.machine())),
            ("nodename", &text(names.nodename())),
            ("release", &text(names.release())),
            ("sysname", &text(names.sysname())),
            ("version", &text(names.version())),
        ],
        1.0,
    );
    Ok(vec![family])
}
