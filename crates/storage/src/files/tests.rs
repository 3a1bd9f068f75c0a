use super::{Files, OperatingSystem, SimulatedFiles, read_whole};
use std::io::ErrorKind;
use std::path::Path;

fn check_contract(files: &dyn Files, folder: &Path) {
    let path = folder.join("a");
    let file = files.create(&path).expect("create");
    file.write(b"hello world").expect("write");
    file.truncate(5).expect("truncate");
    file.write(b"!").expect("write after cut");
    file.sync().expect("sync");
    assert_eq!(read_whole(files, &path).expect("read"), b"hello!");
    let again = files.open_for_append(&path).expect("append");
    again.write(b"?").expect("write");
    let reader = files.open(&path).expect("open");
    assert_eq!(reader.length().expect("length"), 7);
    assert_eq!(reader.read_at(5, 2).expect("range"), b"!?");
    assert_eq!(
        reader.read_at(5, 3).expect_err("too far").kind(),
        ErrorKind::UnexpectedEof
    );
    files.rename(&path, &folder.join("b")).expect("rename");
    files.sync_folder(folder).expect("sync folder");
    assert_eq!(files.list(folder).expect("list"), ["b"]);
    files
        .link(&folder.join("b"), &folder.join("c"))
        .expect("link");
    let taken = files.link(&folder.join("b"), &folder.join("c"));
    let taken = taken.expect_err("the name is taken");
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    files.remove(&folder.join("b")).expect("remove");
    let linked = read_whole(files, &folder.join("c")).expect("read");
    assert_eq!(linked, b"hello!?", "the other name is left");
    files.remove(&folder.join("c")).expect("remove");
    assert!(files.capacity_bytes(folder).expect("capacity") > 0);
    assert_eq!(
        files.open(&path).err().map(|error| error.kind()),
        Some(ErrorKind::NotFound)
    );
    let lock = files.lock_folder(folder).expect("lock");
    assert!(files.lock_folder(folder).is_err());
    drop(lock);
    drop(files.lock_folder(folder).expect("lock again"));
}

#[test]
fn both_keep_the_contract() {
    let folder = tempfile::tempdir().expect("folder");
    check_contract(&OperatingSystem, folder.path());
    check_contract(&SimulatedFiles::new(1), Path::new("/data"));
}

#[test]
fn power_loss_keeps_what_was_synced() {
    let path = Path::new("/data/a");
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let disk = SimulatedFiles::new(seed);
        let file = disk.create(path).expect("create");
        disk.sync_folder(Path::new("/data")).expect("sync folder");
        file.write(b"synced").expect("write");
        file.sync().expect("sync");
        file.write(b"and some more").expect("write");
        disk.restart_machine();
        let bytes = read_whole(&disk, path).expect("read");
        assert!(bytes.starts_with(b"synced"), "seed {seed}");
        lengths.insert(bytes.len());
        assert!(file.write(b"x").is_err(), "handles from before are dead");
    }
    assert!(lengths.len() > 3, "different prefixes survive: {lengths:?}");
}

#[test]
fn process_death_keeps_what_was_handed_over() {
    let disk = SimulatedFiles::new(3);
    let path = Path::new("/data/a");
    disk.create(path)
        .expect("create")
        .write(b"bytes")
        .expect("write");
    disk.restart_process();
    assert_eq!(read_whole(&disk, path).expect("read"), b"bytes");
}

#[test]
fn fills_up_and_turns_read_only() {
    let disk = SimulatedFiles::new(4);
    let file = disk.create(Path::new("/a")).expect("create");
    disk.set_space(4);
    let error = file.write(b"123456").expect_err("full");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(disk.used_bytes(), 4);
    disk.set_space(100);
    file.write(b"5").expect("room again");
    disk.set_read_only(true);
    let error = file.write(b"6").expect_err("read-only");
    assert_eq!(error.kind(), ErrorKind::ReadOnlyFilesystem);
}
