//! API keys are made and taken away.

use super::{Outcome, check_key, given_before, need_admin, need_key};
use crate::command::{Command, NewKey};
use crate::customer::{MAX_TEXT_CHARS, check_text};
use crate::id::KeyId;
use crate::refusal::Refusal;
use crate::world::{Answer, World};

pub(super) fn create(world: &mut World, command: &Command, key: &NewKey) -> Result<Outcome, Refusal> {
    need_admin(&command.actor)?;
    if let Some(answer) = given_before(world, command.idempotency) {
        return Ok(answer);
    }
    let mut problems = Vec::new();
    check_text(&mut problems, "name", &key.name, MAX_TEXT_CHARS);
    if !problems.is_empty() {
        return Err(Refusal::invalid(problems));
    }
    check_key(world, command.idempotency)?;
    world.add_key(key.clone());
    world.remember(command.idempotency, Answer::Key(key.id));
    Ok(Outcome::Key(key.id))
}

pub(super) fn revoke(world: &mut World, command: &Command, id: KeyId) -> Result<Outcome, Refusal> {
    need_key(&command.actor)?;
    if !world.has_key(id) {
        return Err(Refusal::not_found("API key"));
    }
    need_admin(&command.actor)?;
    world.revoke_key(id);
    Ok(Outcome::Key(id))
}
