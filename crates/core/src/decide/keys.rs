//! API keys are made and taken away.

use super::{Outcome, need_admin, replay};
use crate::command::{Command, NewKey};
use crate::customer::{MAX_TEXT_CHARS, check_text};
use crate::id::KeyId;
use crate::refusal::Refusal;
use crate::world::{Answer, World};

pub(super) fn create(world: &mut World, command: &Command, key: &NewKey) -> Result<Outcome, Refusal> {
    need_admin(&command.actor)?;
    let mut problems = Vec::new();
    check_text(&mut problems, "name", &key.name, MAX_TEXT_CHARS);
    if !problems.is_empty() {
        return Err(Refusal::invalid(problems));
    }
    if let Some(answer) = replay(world, command.idempotency)? {
        return Ok(answer);
    }
    world.add_key(key.clone());
    world.remember(command.idempotency, Answer::Key(key.id));
    Ok(Outcome::Key(key.id))
}

pub(super) fn revoke(world: &mut World, command: &Command, id: KeyId) -> Result<Outcome, Refusal> {
    need_admin(&command.actor)?;
    if !world.has_key(id) {
        return Err(Refusal::not_found("API key"));
    }
    world.revoke_key(id);
    Ok(Outcome::Key(id))
}
