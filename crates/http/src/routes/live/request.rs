//! What clients send over the WebSocket, and the names of topics.

use lastseat_core::command::Actor;
use lastseat_core::id::{BookingId, WaitlistId};
use lastseat_core::refusal::Code;
use serde::Deserialize;

use crate::auth::{Right, check_right};
use crate::body::json;
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::waitlist::visible;
use crate::state::AppState;

/// What to watch from now on, and what no more.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) subscribe: Vec<String>,
    #[serde(default)]
    pub(super) unsubscribe: Vec<String>,
}

impl Message {
    /// # Errors
    /// `400 malformed`, `422 invalid`.
    pub(super) fn read(text: &[u8]) -> Result<Self, Problem> {
        json::parse(text)?.map_err(Problem::invalid)
    }
}

/// A topic as a client names it: `kind:id`, with a token where one is needed.
pub(super) struct Name<'a> {
    /// Without the token; how frames name it.
    pub(super) topic: &'a str,
    kind: &'a str,
    id: &'a str,
    query: Option<&'a str>,
}

impl<'a> Name<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let (topic, query) = text.split_once('?').map_or((text, None), |(topic, query)| (topic, Some(query)));
        let (kind, id) = topic.split_once(':').unwrap_or((topic, ""));
        Self { topic, kind, id, query }
    }

    /// What it names, if this caller may watch it.
    ///
    /// # Errors
    /// `401 unauthenticated`, `404 not_found`, `403 forbidden`, `422 invalid`.
    pub(super) async fn resolve(&self, state: &AppState, actor: &Actor) -> Result<Watched, Problem> {
        let mut params = Params::new(self.query);
        let token = params.take("token");
        match self.kind {
            "listing" => {
                let listing = crate::routes::listings::visible(&state.engine, actor, self.id).await?;
                params.finish()?;
                Ok(Watched::Listing(listing))
            }
            "booking" => {
                let id = self.booking(state, actor, token.as_deref()).await?;
                params.finish()?;
                Ok(Watched::Booking(id))
            }
            "waitlist" => {
                let id = self.entry(state, actor, token.as_deref()).await?;
                params.finish()?;
                Ok(Watched::Entry(id))
            }
            _ => {
                let text = "is no topic of this server; there are listing:<id>, booking:<id>?token=<token> and \
                            waitlist:<id>?token=<token>";
                Err(Problem::field("subscribe", text))
            }
        }
    }

    async fn booking(
        &self,
        state: &AppState,
        actor: &Actor,
        token: Option<&str>,
    ) -> Result<BookingId, Problem> {
        let missing = || Problem::not_found("booking");
        if *actor == Actor::Public && token.is_none() {
            return Err(Problem::new(
                Code::Unauthenticated,
                "Name the booking's token, booking:<id>?token=<token>, or connect with an API key.",
            ));
        }
        let id: BookingId = self.id.parse().map_err(|_| missing())?;
        let actor = match token {
            Some(token) if state.engine.secret().opens(id, token) => Actor::Owner,
            Some(_) => return Err(missing()),
            None => actor.clone(),
        };
        let booking = state.engine.booking(id).await?.ok_or_else(missing)?;
        check_right(&actor, &booking, Right::OwnerOrMaker)?;
        Ok(id)
    }
}

impl Name<'_> {
    async fn entry(
        &self,
        state: &AppState,
        actor: &Actor,
        token: Option<&str>,
    ) -> Result<WaitlistId, Problem> {
        let missing = || Problem::not_found("waitlist entry");
        if *actor == Actor::Public && token.is_none() {
            return Err(Problem::new(
                Code::Unauthenticated,
                "Name the entry's token, waitlist:<id>?token=<token>, or connect with an API key.",
            ));
        }
        let id: WaitlistId = self.id.parse().map_err(|_| missing())?;
        let actor = match token {
            Some(token) if state.engine.secret().opens_entry(id, token) => Actor::Owner,
            Some(_) => return Err(missing()),
            None => actor.clone(),
        };
        visible(&state.engine, &actor, id).await?;
        Ok(id)
    }
}

/// What a topic names.
pub(super) enum Watched {
    /// A listing.
    Listing(std::sync::Arc<lastseat_core::listing::Listing>),
    /// A booking.
    Booking(BookingId),
    /// An entry of a waitlist.
    Entry(WaitlistId),
}
