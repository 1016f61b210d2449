//! An API key as JSON.

use lastseat_core::command::Role;
use lastseat_core::id::KeyId;
use lastseat_core::time::Time;
use lastseat_store::ApiKey;
use serde::Serialize;

/// An API key. The secret is nowhere but in the answer that made it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Key)]
pub struct KeyView<'a> {
    /// Id.
    #[schema(value_type = String)]
    pub id: KeyId,
    /// What it may do.
    pub role: Role,
    /// What people call it.
    pub name: &'a str,
    /// When it was made.
    pub created_at: Time,
}

impl<'a> From<&'a ApiKey> for KeyView<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self { id: key.id, role: key.role, name: &key.name, created_at: key.created_at }
    }
}
