use super::probe::{Space, SpaceProbe};
use super::{Mount, MountExclusions, strip_root, unescape};
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

#[test]
fn excludes_mounts() {
    let exclusions = MountExclusions::default();
    let check = |folder: &str, kind: &str, want: bool| {
        let mount = Mount {
            device: "d".to_owned(),
            folder: folder.to_owned(),
            kind: kind.to_owned(),
            read_only: false,
        };
        assert_eq!(exclusions.excludes(&mount), want, "{folder} {kind}");
    };
    check("/", "ext4", false);
    check("/dev", "tmpfs", true);
    check("/dev/shm", "tmpfs", true);
    check("/development", "ext4", false);
    check("/data", "overlay", true);
    check("/var/lib/docker", "ext4", false);
    check("/var/lib/docker/overlay2/x", "ext4", true);
    check("/mnt/disk", "xfs", false);
}

#[test]
fn reads_mount_points() {
    assert_eq!(unescape("/a\\040b\\011c"), "/a b\tc");
    let check = |folder, root, want: &str| assert_eq!(strip_root(folder, root), want);
    check("/data", "/", "/data");
    check("/host", "/host", "/");
    check("/host/data", "/host", "/data");
    check("/hostile", "/host", "/hostile");
}

/// A mount that hangs costs one time-out; others are asked meanwhile, and its answer counts when it comes.
#[test]
fn a_hanging_mount_does_not_stop_the_others() {
    let space = Space {
        size_bytes: 1.0,
        free_bytes: 1.0,
        available_bytes: 1.0,
        files: 1.0,
        files_free: 1.0,
    };
    let (wake, woken) = mpsc::sync_channel::<()>(1);
    let (ended, end) = mpsc::sync_channel::<()>(1);
    let woken = Mutex::new(woken);
    let question = move |mount: &Path| {
        if mount == Path::new("/hung") {
            woken.lock().expect("not poisoned").recv().expect("woken");
            ended.send(()).expect("the test waits");
        }
        Ok(space)
    };
    let mut probe = SpaceProbe::new(Arc::new(question), Duration::from_secs(1));
    assert!(probe.ask(Path::new("/")).is_ok());
    assert!(probe.ask(Path::new("/hung")).is_err());
    assert!(probe.ask(Path::new("/")).is_ok());
    assert!(probe.ask(Path::new("/hung")).is_err());
    wake.send(()).expect("the question waits");
    end.recv().expect("the question ends");
    while probe.ask(Path::new("/hung")).is_err() {
        std::thread::yield_now();
    }
    assert!(
        probe.ask(Path::new("/hung")).is_err(),
        "asked anew, it hangs again"
    );
}
