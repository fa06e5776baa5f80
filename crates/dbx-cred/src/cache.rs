//! Keys kept between two runs, so that an AWS tool that asks for them at each call does not wait for Databricks.
//!
//! One file a login and credential, readable by its owner only, in `$XDG_CACHE_HOME/kinbricks` or `~/.cache/kinbricks`. The
//! file's name is a hash that the login's own secret goes into: who logs in as somebody else does not find it. (A login of
//! the Databricks CLI is known by its profile only.)

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use config::Secret;
use config::env::{self, Env};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::auth::Login;
use crate::keys::Keys;
use crate::name::CredentialName;

/// Keys are used until they have less than this left. AWS SDKs ask for new ones some minutes before the end, and must
/// not be given the old ones again.
const MARGIN: SignedDuration = SignedDuration::from_mins(6);

/// Nobody but the owner.
const PRIVATE_FILE: u32 = 0o600;
/// Nobody but the owner.
const PRIVATE_FOLDER: u32 = 0o700;
/// The permissions that others must not have.
const OTHERS: u32 = 0o077;

/// The place of one login's keys for one credential.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    file: PathBuf,
}

/// The file. It holds keys, so it has no `Debug`.
#[derive(Deserialize, Serialize)]
struct Kept {
    version: u8,
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expires_at: String,
}

/// The form of the file that this release reads and writes.
const VERSION: u8 = 1;

impl Cache {
    /// The place, where the user has a home.
    pub fn of(env: &Env, login: &Login, name: &CredentialName) -> Option<Self> {
        let base = env
            .get("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| env.get(env::HOME).map(|home| Path::new(home).join(".cache")))?;
        let folder = base.join("kinbricks");
        let mut hash = Sha256::new();
        for part in [login.host().as_str(), &login.fingerprint(), name.as_str()] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let digest =
            hash.finalize().iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let file = folder.join(format!("keys-{digest:032x}.json"));
        Some(Self { folder, file })
    }

    /// The keys, when there are some that are still good for a while. Whatever is wrong with the file, the answer
    /// is that there are none.
    pub fn read(&self, now: Timestamp) -> Option<Keys> {
        let metadata = fs::symlink_metadata(&self.file).ok()?;
        let owner = fs::symlink_metadata(&self.folder).ok()?;
        let private = metadata.is_file() && metadata.mode() & OTHERS == 0 && owner.mode() & OTHERS == 0;
        if !private || metadata.uid() != owner.uid() {
            tracing::debug!("the kept keys are not private, so they are not used");
            return None;
        }
        let kept: Kept = serde_json::from_str(&fs::read_to_string(&self.file).ok()?).ok()?;
        let expires_at: Timestamp = kept.expires_at.parse().ok()?;
        (kept.version == VERSION && expires_at.duration_since(now) > MARGIN).then(|| Keys {
            access_key_id: Secret::new(kept.access_key_id),
            secret_access_key: Secret::new(kept.secret_access_key),
            session_token: Secret::new(kept.session_token),
            expires_at: Some(expires_at),
        })
    }

    /// Keeps keys that say when they expire. A cache that cannot be written costs time, not the result.
    pub fn write(&self, keys: &Keys, now: Timestamp) {
        if let Some(expires_at) = keys.expires_at
            && let Err(error) = self.try_write(keys, expires_at, now)
        {
            tracing::debug!(%error, folder = %self.folder.display(), "the keys could not be kept");
        }
    }

    /// Forgets the keys: the credential is another one now, or gone.
    pub fn forget(&self) {
        if let Err(error) = fs::remove_file(&self.file)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(%error, "the kept keys could not be removed");
        }
    }

    fn try_write(&self, keys: &Keys, expires_at: Timestamp, now: Timestamp) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(&self.folder)?;
        self.sweep(now);
        let kept = Kept {
            version: VERSION,
            access_key_id: keys.access_key_id.reveal().to_owned(),
            secret_access_key: keys.secret_access_key.reveal().to_owned(),
            session_token: keys.session_token.reveal().to_owned(),
            expires_at: expires_at.to_string(),
        };
        // A reader sees the old file or the new one, never half of one.
        let draft = self.file.with_extension(format!("{}-{:x}", std::process::id(), fastrand::u64(..)));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(PRIVATE_FILE)
            .open(&draft)
            .and_then(|mut file| file.write_all(&serde_json::to_vec(&kept).map_err(io::Error::from)?))
            .and_then(|()| fs::rename(&draft, &self.file));
        if written.is_err() {
            drop(fs::remove_file(&draft));
        }
        written
    }

    /// Removes files of keys that have expired, so that the folder does not grow.
    fn sweep(&self, now: Timestamp) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let ours =
                path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("keys-"));
            let expired = || {
                let kept: Kept = serde_json::from_str(&fs::read_to_string(&path).ok()?).ok()?;
                Some(kept.expires_at.parse::<Timestamp>().ok()? <= now)
            };
            if ours && expired() == Some(true) {
                drop(fs::remove_file(&path));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use config::args::DbxArgs;
    use config::env::Env;
    use config::settings::Settings;
    use config::{Notes, Secret};
    use jiff::Timestamp;

    use super::Cache;
    use crate::auth::Login;
    use crate::keys::Keys;

    const NOW: &str = "2026-01-01T00:00:00Z";

    fn cache(folder: &str, token: &str, name: &str) -> Cache {
        let env = Env::from_iter([
            ("XDG_CACHE_HOME", folder),
            ("DATABRICKS_HOST", "https://h.test"),
            ("DATABRICKS_TOKEN", token),
        ]);
        let settings = Settings::load(&env, None).unwrap();
        let login =
            Login::resolve(&DbxArgs::default(), &settings, &Notes::into_writer("t", Vec::new())).unwrap();
        Cache::of(&env, &login, &name.parse().unwrap()).unwrap()
    }

    fn keys(expires_at: &str) -> Keys {
        let secret = || Secret::new("s");
        Keys {
            access_key_id: secret(),
            secret_access_key: secret(),
            session_token: secret(),
            expires_at: Some(expires_at.parse().unwrap()),
        }
    }

    #[test]
    fn keys_are_kept_until_shortly_before_they_expire_and_for_this_login_only() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_str().unwrap();
        let now: Timestamp = NOW.parse().unwrap();
        let mine = cache(folder, "dapi-mine", "c");
        assert!(mine.read(now).is_none());
        mine.write(&keys("2026-01-01T01:00:00Z"), now);
        assert!(mine.read(now).is_some());
        assert!(mine.read("2026-01-01T00:55:00Z".parse().unwrap()).is_none());
        assert!(cache(folder, "dapi-other", "c").read(now).is_none());
        assert!(cache(folder, "dapi-mine", "d").read(now).is_none());
        mine.forget();
        assert!(mine.read(now).is_none());
        mine.forget();
    }

    #[test]
    fn the_file_is_private_and_one_that_is_not_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let now: Timestamp = NOW.parse().unwrap();
        let cache = cache(folder.path().to_str().unwrap(), "dapi-mine", "c");
        cache.write(&keys("2026-01-01T01:00:00Z"), now);
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&cache.folder), mode(&cache.file)), (0o700, 0o600));
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 1, "a draft was left behind");
        fs::set_permissions(&cache.file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(cache.read(now).is_none());
        fs::set_permissions(&cache.file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&cache.file, "{\"version\":1").unwrap();
        assert!(cache.read(now).is_none());
        cache.write(&keys("2026-01-01T01:00:00Z"), now);
        assert!(cache.read(now).is_some());
    }

    #[test]
    fn expired_files_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let now: Timestamp = NOW.parse().unwrap();
        let folder = folder.path().to_str().unwrap();
        let old = cache(folder, "dapi-mine", "old");
        old.write(&keys("2026-01-01T01:00:00Z"), now);
        let later: Timestamp = "2026-01-01T02:00:00Z".parse().unwrap();
        cache(folder, "dapi-mine", "new").write(&keys("2026-01-01T03:00:00Z"), later);
        assert!(!old.file.exists());
    }

    #[test]
    fn a_folder_that_cannot_be_written_stops_nothing() {
        let now: Timestamp = NOW.parse().unwrap();
        let cache = cache("/dev/null", "dapi-mine", "c");
        cache.write(&keys("2026-01-01T01:00:00Z"), now);
        assert!(cache.read(now).is_none());
    }
}
