//! The admin key: made at the first start and shown once, or given.

use std::path::Path;

use lastseat_core::command::{Action, Actor, Command, NewKey, Role};
use lastseat_core::id::KeyId;
use lastseat_engine::{Engine, ids};
use lastseat_http::auth::{hash_secret, new_secret};

use crate::data_dir::{ADMIN_KEY_FILE, prepare, write_secret};
use crate::failure::Failure;
use crate::output;

/// Shortest key that may be given, in characters.
const MIN_CHARS: usize = 16;
/// Longest key that may be given, in characters.
const MAX_CHARS: usize = 512;
/// Name of the key of the first start.
const FIRST_NAME: &str = "admin";
/// Name of the key that was given. There is one at a time.
const GIVEN_NAME: &str = "admin (configured)";

/// The secret of an admin key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AdminKey(String);

impl std::fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminKey(..)")
    }
}

impl AdminKey {
    /// A key that somebody chose.
    ///
    /// # Errors
    /// A sentence, if it is too short or cannot stand in a header. It does not repeat the key.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if !(MIN_CHARS..=MAX_CHARS).contains(&text.chars().count()) {
            return Err(format!("an admin key has {MIN_CHARS} to {MAX_CHARS} characters"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("an admin key has visible ASCII characters only, and no blanks".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// A random key.
    pub(crate) fn fresh() -> Self {
        Self(new_secret())
    }

    /// The key itself.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> [u8; 32] {
        hash_secret(&self.0)
    }
}

/// Sees to it that there is an admin key: the `given` one, in place of one that was given before; else, if
/// there is none at all, a random one, which is written to the data directory and shown.
pub(super) async fn ensure(engine: &Engine, data: &Path, given: Option<&AdminKey>) -> Result<(), Failure> {
    let keys = engine.keys();
    if let Some(given) = given {
        match engine.key(&given.hash()) {
            None => create(engine, given, GIVEN_NAME).await?,
            Some(known) if known.role == Role::Admin => {}
            Some(known) => {
                let role = known.role.as_str();
                return Err(Failure::usage(format_args!(
                    "--admin-key: this key is in use as an {role} key; choose another"
                )));
            }
        }
        let others = keys.iter().filter(|key| key.name == GIVEN_NAME && key.hash != given.hash());
        for old in others {
            revoke(engine, old.id).await?;
            tracing::info!(key = %old.id, "revoked the admin key that was configured before");
        }
        return Ok(());
    }
    if keys.iter().any(|key| key.role == Role::Admin) {
        return Ok(());
    }
    // The file comes first: a key that nobody can read would be worse than a file without a key, which the
    // next start replaces.
    let key = AdminKey::fresh();
    prepare(data)?;
    let path = write_secret(data, ADMIN_KEY_FILE, &format!("{}\n", key.secret()))?;
    create(engine, &key, FIRST_NAME).await?;
    output::say(&format!(
        "admin key: {}\n(shown this once only; it is kept in {})",
        key.secret(),
        path.display()
    ));
    Ok(())
}

async fn create(engine: &Engine, key: &AdminKey, name: &str) -> Result<(), Failure> {
    let new = NewKey { id: ids::key_id(), role: Role::Admin, name: name.to_owned(), hash: key.hash() };
    submit(engine, Action::CreateKey(Box::new(new)), "make the admin key").await
}

async fn revoke(engine: &Engine, id: KeyId) -> Result<(), Failure> {
    submit(engine, Action::RevokeKey { id }, "revoke the admin key that was configured before").await
}

async fn submit(engine: &Engine, action: Action, what: &str) -> Result<(), Failure> {
    let done = engine.submit(Command::new(Actor::System, action)).await;
    done.map(drop).map_err(|refusal| Failure::unable(format_args!("cannot {what}: {}", refusal.detail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_keys_are_long_and_fit_into_a_header() {
        assert!(AdminKey::parse("0123456789abcdef").is_ok());
        for wrong in ["0123456789abcde", "0123456789 abcdef", "0123456789abcdefü", &"x".repeat(513)] {
            let error = AdminKey::parse(wrong).unwrap_err();
            assert!(!error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn random_keys_are_keys_that_could_be_chosen_and_never_shown_by_accident() {
        let key = AdminKey::fresh();
        assert_eq!(AdminKey::parse(key.secret()), Ok(key.clone()));
        assert_ne!(key, AdminKey::fresh());
        assert!(!format!("{key:?}").contains(key.secret()));
    }
}
