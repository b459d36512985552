use std::fs;

use rstest::rstest;

use tempfile::TempDir;

use super::*;

fn kept(folder: &TempDir) -> Result<Store, StartError> {
    Store::persistent(folder.path())
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn documents_come_back_in_the_order_they_were_first_written() {
    let mut store = Store::temporary().unwrap();
    for (id, value) in [("b", 1), ("a", 2), ("c", 3), ("b", 4)] {
        store.put("kind", id, &value).unwrap();
    }
    store.put("other", "a", &9).unwrap();
    store.delete("kind", "c").unwrap();
    store.delete("kind", "never").unwrap();
    assert_eq!(store.load::<i32>("kind").unwrap(), [4, 2]);
    assert_eq!(store.load::<i32>("none").unwrap(), [0; 0]);
}

#[test]
fn the_temporary_folder_is_private_and_goes_away() {
    let store = Store::temporary().unwrap();
    let folder = store.path().parent().unwrap().to_owned();
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&folder).unwrap().permissions()) & 0o777, 0o700);
    drop(store);
    assert!(!folder.exists());
}

#[test]
fn a_kept_folder_is_reopened_and_private() {
    let folder = folder();
    let inner = folder.path().join("deep/data");
    Store::persistent(&inner).unwrap().put("kind", "id", &"value").unwrap();
    let store = Store::persistent(&inner).unwrap();
    assert_eq!(store.load::<String>("kind").unwrap(), ["value"]);
    #[cfg(unix)]
    for (path, mode) in [(inner.clone(), 0o700), (inner.join(ROOT_KEY_FILE), 0o600)] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
}

#[test]
fn nothing_in_the_files_can_be_read() {
    let folder = folder();
    let mut store = kept(&folder).unwrap();
    store.put("kms-key", "alias/needle", &"needle in a document").unwrap();
    // The write-ahead log first, then the database itself.
    for _ in 0..2 {
        for file in fs::read_dir(folder.path()).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(6).any(|w| w == b"needle" || w == b"kms-ke"));
        }
        store.connection().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    }
}

#[test]
fn a_changed_or_moved_document_is_noticed() {
    let mut store = Store::temporary().unwrap();
    store.put("kind", "a", &1).unwrap();
    store.put("kind", "b", &2).unwrap();
    // Swapping two documents keeps each of them intact, but not in its place.
    store
        .connection()
        .execute_batch(
            "CREATE TEMP TABLE t AS SELECT seq, value FROM documents;
             UPDATE documents SET value = (SELECT value FROM t WHERE t.seq <> documents.seq)",
        )
        .unwrap();
    assert!(matches!(store.load::<i32>("kind"), Err(StoreError::Tampered(kind)) if kind == "kind"));
}

#[test]
fn sealed_bytes_open_with_their_label_only() {
    let store = Store::temporary().unwrap();
    let sealed = store.seal_root(b"label", b"bytes").unwrap();
    assert_eq!(store.open_root(b"label", &sealed).unwrap().as_slice(), b"bytes");
    assert!(store.open_root(b"other", &sealed).is_none());
    assert!(store.open_root(b"label", b"").is_none());
    assert_ne!(sealed, store.seal_root(b"label", b"bytes").unwrap());
}

#[test]
fn a_rolled_back_request_leaves_nothing() {
    let mut store = Store::temporary().unwrap();
    store.begin().unwrap();
    store.put("kind", "a", &1).unwrap();
    store.rollback();
    assert!(store.load::<i32>("kind").unwrap().is_empty());
    store.begin().unwrap();
    store.put("kind", "c", &3).unwrap();
    store.commit().unwrap();
    assert_eq!(store.load::<i32>("kind").unwrap(), [3]);
}

#[test]
fn one_folder_one_process() {
    let folder = folder();
    let store = kept(&folder).unwrap();
    assert!(matches!(kept(&folder), Err(StartError::InUse { .. })));
    drop(store);
    kept(&folder).unwrap();
}

#[test]
fn a_child_with_a_copy_of_the_lock_does_not_hold_the_folder() {
    let folder = folder();
    let lock = Lock::take(folder.path()).unwrap();
    let copy = lock.0.try_clone().unwrap();
    assert!(matches!(kept(&folder), Err(StartError::InUse { .. })));
    drop(lock);
    kept(&folder).unwrap();
    drop(copy);
}

#[test]
fn two_databases_on_one_temporary_directory_do_not_meet() {
    let (one, two) = (Store::temporary().unwrap(), Store::temporary().unwrap());
    assert_ne!(one.path(), two.path());
}

#[rstest]
#[case::text(
    b"this is not SQLite, but it is long enough to have a header of one hundred bytes: ......................"
)]
#[case::short(b"x")]
fn a_file_that_is_no_database_is_refused_untouched(#[case] content: &[u8]) {
    let folder = folder();
    fs::write(folder.path().join(ROOT_KEY_FILE), [7; 32]).unwrap();
    fs::write(folder.path().join(DATABASE_FILE), content).unwrap();
    let error = kept(&folder).unwrap_err();
    assert!(matches!(error, StartError::Foreign { .. }), "{error}");
    assert_eq!(fs::read(folder.path().join(DATABASE_FILE)).unwrap(), content);
}

#[test]
fn another_programs_database_is_refused() {
    let folder = folder();
    fs::write(folder.path().join(ROOT_KEY_FILE), [7; 32]).unwrap();
    let other = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    other.execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    drop(other);
    assert!(matches!(kept(&folder), Err(StartError::Foreign { .. })));
}

#[test]
fn a_newer_layout_is_refused() {
    let folder = folder();
    kept(&folder).unwrap().connection().execute_batch("PRAGMA user_version = 99").unwrap();
    let error = kept(&folder).unwrap_err();
    assert!(matches!(error, StartError::OtherVersion { found: 99, .. }), "{error}");
}

#[test]
fn a_damaged_database_is_refused() {
    let folder = folder();
    drop(kept(&folder).unwrap());
    let path = folder.path().join(DATABASE_FILE);
    let mut bytes = fs::read(&path).unwrap();
    // The header stays, so it still looks like ours; the schema behind it is noise.
    bytes[100..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let error = kept(&folder).unwrap_err();
    assert!(matches!(error, StartError::Broken { .. }), "{error}");
}

#[test]
fn the_root_key_must_be_there_and_the_right_one() {
    let folder = folder();
    drop(kept(&folder).unwrap());
    let path = folder.path().join(ROOT_KEY_FILE);
    let right = fs::read(&path).unwrap();
    for wrong in [vec![1; 32], vec![1; 31], vec![1; 33], Vec::new()] {
        fs::write(&path, wrong).unwrap();
        let error = kept(&folder).unwrap_err();
        assert!(matches!(error, StartError::RootKeyWrong { .. }), "{error}");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(kept(&folder), Err(StartError::RootKeyMissing { .. })));
    assert!(!path.exists(), "a new key would hide that the old one is gone");
    fs::write(&path, right).unwrap();
    kept(&folder).unwrap();
}

#[test]
fn a_first_start_without_a_root_key_is_repaired() {
    let folder = folder();
    fs::write(folder.path().join(ROOT_KEY_FILE), b"").unwrap();
    kept(&folder).unwrap().put("kind", "id", &1).unwrap();
    assert_eq!(kept(&folder).unwrap().load::<i32>("kind").unwrap(), [1]);
}

#[test]
fn a_folder_that_is_a_file_is_refused() {
    let folder = folder();
    let path = folder.path().join("file");
    fs::write(&path, "x").unwrap();
    let error = Store::persistent(&path).unwrap_err();
    assert!(matches!(error, StartError::Folder { .. }), "{error}");
    assert!(error.to_string().contains("file"), "{error}");
}

#[cfg(unix)]
#[test]
fn files_in_a_shared_folder_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut store = kept(&folder).unwrap();
    store.put("kms-key", "1", &"x").unwrap();
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(files.len() >= 4, "database, log, shared memory, key: {files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

/// The price of an answer that survives a power cut: `cargo test --release --lib -- --ignored --nocapture durability`.
#[test]
#[ignore = "measures"]
fn what_durability_costs() {
    let time = |synchronous: &str| {
        let folder = folder();
        let path = folder.path().join(DATABASE_FILE);
        let home = Home::Kept { _lock: Lock::take(folder.path()).unwrap() };
        let mut store = Store::open(path, &random_key().unwrap(), synchronous, home).unwrap();
        let start = std::time::Instant::now();
        for number in 0..500 {
            store.begin().unwrap();
            store.put("kind", &format!("{}", number % 50), &"x".repeat(500)).unwrap();
            store.commit().unwrap();
        }
        start.elapsed() / 500
    };
    for round in 0..3 {
        let (off, normal, full) = (time("OFF"), time("NORMAL"), time("FULL"));
        println!("round {round}, for each write: OFF {off:?}, NORMAL {normal:?}, FULL {full:?}");
    }
}

#[rstest]
#[case::kept(true, 2)]
#[case::temporary(false, 0)]
fn an_answered_write_survives_a_power_cut_where_it_is_kept(#[case] keeps: bool, #[case] synchronous: i64) {
    let folder = folder();
    let store = if keeps { kept(&folder).unwrap() } else { Store::temporary().unwrap() };
    let set: i64 = store.connection().query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
    assert_eq!(set, synchronous);
}

#[test]
fn a_page_that_sqlite_finds_broken_is_told_with_the_next_step() {
    let folder = folder();
    let mut store = kept(&folder).unwrap();
    for number in 0..200 {
        store.put("kind", &format!("{number}"), &"x".repeat(200)).unwrap();
    }
    drop(store);
    let path = folder.path().join(DATABASE_FILE);
    let mut bytes = fs::read(&path).unwrap();
    // The head of a page in the middle.
    let at = bytes.len() / 2 / 4096 * 4096;
    bytes[at..at + 16].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let error = kept(&folder).unwrap_err();
    assert!(matches!(error, StartError::Damaged { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("kmslab.db is damaged: ") && text.contains("Restore the folder"), "{text}");
}
