//! The sandbox's database: SQLite, in which everything that could be read is sealed under the root key.
//!
//! The root key plays the part of KMS's hardware security module. For a temporary folder it lives in memory only; with
//! `--data` it is the file `hsm.key` beside the database, readable by its owner alone.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::crypto::{self, Key256};
use super::entropy::{self, NoRandomness};
use super::start_error::StartError;
use crate::disk;

/// Marks the file as ours in SQLite's header: "KMSL".
const APPLICATION_ID: i64 = 0x4b4d_534c;
/// The layout of the tables below.
const SCHEMA_VERSION: i64 = 1;
const SCHEMA: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE documents (
        seq INTEGER PRIMARY KEY, kind BLOB NOT NULL, id BLOB NOT NULL, value BLOB NOT NULL, UNIQUE (kind, id)
    );";

/// A database has at least one page, in bytes.
const SMALLEST_DATABASE: u64 = 512;

pub(super) mod error;
mod lock;
mod temporary;

pub use error::StoreError;
use lock::Lock;
use temporary::Temporary;
pub use temporary::abandon;

const DATABASE_FILE: &str = "kmslab.db";
const ROOT_KEY_FILE: &str = "hsm.key";

/// The database and the root key.
#[derive(Debug)]
pub struct Store {
    // Fields are dropped in this order: SQLite must close its files before their folder goes or the lock is released.
    connection: Connection,
    path: PathBuf,
    keys: Keys,
    _home: Home,
}

/// One key for each use, all derived from the root key.
#[derive(Debug)]
struct Keys {
    seal: Key256,
    name: Key256,
}

#[derive(Debug)]
enum Home {
    Temporary { _folder: Temporary },
    Kept { _lock: Lock },
}

impl Store {
    /// A database in a new temporary folder (mode 0700) that is removed when the store is dropped. Those that killed
    /// processes have left are removed, too.
    ///
    /// # Errors
    /// When the folder can't be made or written.
    pub fn temporary() -> Result<Self, StartError> {
        let folder = Temporary::new().map_err(|source| StartError::Folder { path: std::env::temp_dir(), source })?;
        let path = folder.path().join(DATABASE_FILE);
        let root = random_key()?;
        // The folder goes with the process, so nothing need survive a power cut.
        Self::open(path, &root, "OFF", Home::Temporary { _folder: folder })
    }

    /// The database in `folder`, made when missing. Only one process at a time may have it.
    ///
    /// # Errors
    /// When the folder can't be written or is in use, when the database is broken, foreign or from a newer version, or
    /// when `hsm.key` is missing or is another database's.
    pub fn persistent(folder: &Path) -> Result<Self, StartError> {
        create_folder(folder).map_err(|source| StartError::Folder { path: folder.to_owned(), source })?;
        let lock = Lock::take(folder)?;
        let path = folder.join(DATABASE_FILE);
        if fs::metadata(&path).is_ok_and(|file| (1..SMALLEST_DATABASE).contains(&file.len())) {
            // SQLite takes a few bytes of something else for an empty database and writes over them.
            return Err(StartError::Foreign { path });
        }
        let root = root_key(&folder.join(ROOT_KEY_FILE), &path)?;
        // SQLite gives its files the mode of this one; in a folder that others may read it would be 0644.
        disk::open_or_make(&path).map_err(|source| StartError::Folder { path: path.clone(), source })?;
        // FULL: in WAL mode NORMAL may lose the last transactions in a power cut, though their calls had succeeded.
        let store = Self::open(path, &root, "FULL", Home::Kept { _lock: lock })?;
        // The names of new files survive a power cut, too.
        disk::sync_folder(folder).map_err(|source| StartError::Folder { path: folder.to_owned(), source })?;
        store.check().map_err(|source| StartError::of_store(&store.path, source))?;
        Ok(store)
    }

    /// Reads the whole database: that SQLite finds its pages in order, and that every document opens.
    fn check(&self) -> Result<(), StoreError> {
        let finding: String = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if finding != "ok" {
            return Err(StoreError::Damaged(format!("SQLite's quick_check says: {}", finding.replace('\n', " "))));
        }
        let mut statement = self.connection.prepare("SELECT seq, kind, id, value FROM documents")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (number, kind, id, sealed): (i64, Vec<u8>, Vec<u8>, Vec<u8>) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            if self.open_root(&label(&kind, &id), &sealed).is_none() {
                return Err(StoreError::Damaged(format!("row {number} of its table documents can't be decrypted")));
            }
        }
        Ok(())
    }

    fn open(path: PathBuf, root: &Key256, synchronous: &str, home: Home) -> Result<Self, StartError> {
        let keys = Keys { seal: derive(root, "kmslab documents: seal"), name: derive(root, "kmslab documents: name") };
        let connection = match connect(&path, synchronous) {
            Ok(Ok(connection)) => connection,
            Ok(Err(refusal)) => return Err(refusal),
            Err(source) => return Err(database_error(path, source)),
        };
        let store = Self { connection, path, keys, _home: home };
        store.check_root_key()?;
        Ok(store)
    }

    /// A database remembers a tag made with its root key, so that a wrong `hsm.key` is noticed at the start and not as a
    /// "tampered" document later.
    fn check_root_key(&self) -> Result<(), StartError> {
        let tag = crypto::hmac_sha256(&self.keys.name, b"kmslab root key");
        let failed = |source| StartError::of_store(&self.path, source);
        match self.meta("root-key-check").map_err(failed)? {
            None => self.set_meta("root-key-check", &tag).map_err(failed),
            Some(known) if known == tag => Ok(()),
            Some(_) => Err(StartError::RootKeyWrong { path: self.path.with_file_name(ROOT_KEY_FILE) }),
        }
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a document, replacing the one with this kind and id.
    ///
    /// # Errors
    /// When SQLite refuses or the value does not serialize.
    pub fn put<T: Serialize>(&mut self, kind: &str, id: &str, value: &T) -> Result<(), StoreError> {
        let text = Zeroizing::new(
            serde_json::to_vec(value).map_err(|source| StoreError::Shape { kind: kind.to_owned(), source })?,
        );
        let (kind_name, id_name) = self.names(kind, id);
        let sealed = self.seal_root(&label(&kind_name, &id_name), &text)?;
        self.connection
            .prepare_cached(
                "INSERT INTO documents (kind, id, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value",
            )?
            .execute(params![kind_name, id_name, sealed])?;
        Ok(())
    }

    /// Removes a document; nothing happens when there is none.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn delete(&mut self, kind: &str, id: &str) -> Result<(), StoreError> {
        let (kind, id) = self.names(kind, id);
        self.connection
            .prepare_cached("DELETE FROM documents WHERE kind = ?1 AND id = ?2")?
            .execute(params![kind, id])?;
        Ok(())
    }

    /// All documents of a kind, in the order they were first written.
    ///
    /// # Errors
    /// When SQLite refuses, or a document was changed from outside.
    pub fn load<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<T>, StoreError> {
        let (kind_name, _) = self.names(kind, "");
        let mut statement =
            self.connection.prepare_cached("SELECT id, value FROM documents WHERE kind = ?1 ORDER BY seq")?;
        let mut rows = statement.query(params![kind_name])?;
        let mut documents = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, sealed): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            documents.push(self.open_document(kind, &kind_name, &id, &sealed)?);
        }
        Ok(documents)
    }

    /// The document with this kind and id.
    ///
    /// # Errors
    /// When SQLite refuses, or the document was changed from outside.
    pub fn find<T: DeserializeOwned>(&self, kind: &str, id: &str) -> Result<Option<T>, StoreError> {
        let (kind_name, id_name) = self.names(kind, id);
        let mut statement =
            self.connection.prepare_cached("SELECT value FROM documents WHERE kind = ?1 AND id = ?2")?;
        let sealed: Option<Vec<u8>> = statement.query_row(params![kind_name, id_name], |row| row.get(0)).optional()?;
        sealed.map(|sealed| self.open_document(kind, &kind_name, &id_name, &sealed)).transpose()
    }

    /// The document of a kind that was first written before all others.
    ///
    /// # Errors
    /// When SQLite refuses, or the document was changed from outside.
    pub fn oldest<T: DeserializeOwned>(&self, kind: &str) -> Result<Option<T>, StoreError> {
        let (kind_name, _) = self.names(kind, "");
        let mut statement =
            self.connection.prepare_cached("SELECT id, value FROM documents WHERE kind = ?1 ORDER BY seq LIMIT 1")?;
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?));
        let found = statement.query_row(params![kind_name], row).optional()?;
        found.map(|(id, sealed)| self.open_document(kind, &kind_name, &id, &sealed)).transpose()
    }

    fn open_document<T: DeserializeOwned>(
        &self,
        kind: &str,
        kind_name: &[u8],
        id_name: &[u8],
        sealed: &[u8],
    ) -> Result<T, StoreError> {
        let text =
            self.open_root(&label(kind_name, id_name), sealed).ok_or_else(|| StoreError::Tampered(kind.to_owned()))?;
        serde_json::from_slice(&text).map_err(|source| StoreError::Shape { kind: kind.to_owned(), source })
    }

    /// The connection, for services with tables of their own. A request runs inside one transaction that the engine
    /// begins and ends.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Seals bytes under the root key: nonce, ciphertext, tag. `label` must be given again to open them.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn seal_root(&self, label: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, StoreError> {
        // Not from the request's stream: the file outlives a seed, and a nonce must not repeat under one key.
        let mut nonce = [0; 12];
        entropy::fill_from_system(&mut nonce)?;
        let mut sealed = nonce.to_vec();
        sealed.extend(crypto::seal(&self.keys.seal, nonce, label, plaintext));
        Ok(sealed)
    }

    /// Opens what [`Store::seal_root`] made; `None` when it was changed or has another label.
    pub fn open_root(&self, label: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<12>()?;
        crypto::open(&self.keys.seal, *nonce, label, sealed)
    }

    /// A keyed hash of a name, for columns that must be found again but not read.
    fn hidden_name(&self, name: &str) -> [u8; 32] {
        crypto::hmac_sha256(&self.keys.name, name.as_bytes())
    }

    fn names(&self, kind: &str, id: &str) -> ([u8; 32], [u8; 32]) {
        // The NUL keeps ("a", "b/c") and ("a/b", "c") apart.
        (self.hidden_name(&format!("kind\0{kind}")), self.hidden_name(&format!("id\0{kind}\0{id}")))
    }

    /// A fact about the database itself, in the clear.
    pub(super) fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
        Ok(statement.query_row(params![name], |row| row.get(0)).optional()?)
    }

    /// Sets a fact about the database itself.
    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
            .execute(params![name, value])?;
        Ok(())
    }

    /// A number kept with [`Store::set_number`]; zero when there is none.
    pub(super) fn number(&self, name: &str) -> Result<i64, StoreError> {
        let bytes = self.meta(name)?.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        Ok(bytes.map_or(0, i64::from_be_bytes))
    }

    pub(super) fn set_number(&self, name: &str, value: i64) -> Result<(), StoreError> {
        self.set_meta(name, &value.to_be_bytes())
    }

    /// Begins a transaction. It takes no lock until the first statement.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        Ok(())
    }

    pub(super) fn commit(&self) -> Result<(), StoreError> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Undoes the transaction. SQLite undoes it by itself after some errors, so a failure here means it is undone.
    pub(super) fn rollback(&self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Whether the database outlives the process.
    pub(super) fn is_persistent(&self) -> bool {
        matches!(self._home, Home::Kept { .. })
    }
}

fn label(kind: &[u8], id: &[u8]) -> Vec<u8> {
    [kind, id].concat()
}

fn derive(root: &Key256, purpose: &str) -> Key256 {
    Key256::from_bytes(&crypto::hmac_sha256(root, purpose.as_bytes())).expect("a SHA-256 HMAC has 32 bytes")
}

fn random_key() -> Result<Key256, NoRandomness> {
    let mut bytes = Zeroizing::new([0; 32]);
    entropy::fill_from_system(&mut bytes[..])?;
    Ok(Key256::from_bytes(&bytes[..]).expect("32 bytes are a 256-bit key"))
}

/// Opens and, when empty, lays out the database. The outer error is SQLite's, the inner one ours.
fn connect(path: &Path, synchronous: &str) -> rusqlite::Result<Result<Connection, StartError>> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    // Before anything is written: a new database would be flushed to the disk with SQLite's own default.
    connection.execute_batch(&format!("PRAGMA synchronous = {synchronous}"))?;
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let (application, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    let path = path.to_owned();
    match application {
        APPLICATION_ID if version == SCHEMA_VERSION => {}
        APPLICATION_ID => return Ok(Err(StartError::OtherVersion { path, found: version, known: SCHEMA_VERSION })),
        0 if number("SELECT count(*) FROM sqlite_schema")? == 0 => {
            connection.execute_batch(&format!(
                "PRAGMA journal_mode = WAL; BEGIN; {SCHEMA}
                 PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            ))?;
        }
        _ => return Ok(Err(StartError::Foreign { path })),
    }
    connection.set_prepared_statement_cache_capacity(128);
    Ok(Ok(connection))
}

fn database_error(path: PathBuf, source: rusqlite::Error) -> StartError {
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StartError::Foreign { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StartError::InUse { path },
        _ => StartError::Broken { path, source },
    }
}

/// Reads `hsm.key`, or makes it when there is no database yet.
fn root_key(path: &Path, database: &Path) -> Result<Key256, StartError> {
    let failed = |source| StartError::Folder { path: path.to_owned(), source };
    let is_new = !fs::metadata(database).is_ok_and(|meta| meta.len() > 0);
    match disk::open(path) {
        Ok(file) => {
            let mut bytes = Zeroizing::new(Vec::with_capacity(64));
            file.take(33).read_to_end(&mut bytes).map_err(failed)?;
            if bytes.is_empty() && is_new {
                // The very first start of an older version ended (a full disk) before the key was written.
                fs::remove_file(path).map_err(failed)?;
                return root_key(path, database);
            }
            Key256::from_bytes(&bytes).ok_or_else(|| StartError::RootKeyWrong { path: path.to_owned() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if !is_new {
                return Err(StartError::RootKeyMissing { path: path.to_owned() });
            }
            let key = random_key()?;
            disk::write(path, key.expose()).map_err(failed)?;
            Ok(key)
        }
        Err(source) => Err(failed(source)),
    }
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let there = folder.ancestors().find(|ancestor| ancestor.exists());
    disk::make_private(folder)?;
    // A new folder survives a power cut once the folder that names it is on the disk.
    for parent in folder.ancestors().take_while(|it| Some(*it) != there).filter_map(Path::parent) {
        disk::sync_folder(parent)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
