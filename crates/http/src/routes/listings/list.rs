//! `GET /v1/listings`

use std::sync::Arc;

use axum::extract::{Request, State};
use http::StatusCode;
use lastseat_core::calendar::local_instant;
use lastseat_core::command::Actor;
use lastseat_core::listing::{Kind, Listing, Shape, Status};
use lastseat_core::pool::PoolNo;
use lastseat_core::time::Time;

use crate::auth::anybody;
use crate::cursor::List;
use crate::params::{Moment, Params};
use crate::problem::Answer;
use crate::respond::{Page, Paging, json};
use crate::state::AppState;
use crate::view::ListingView;

const KINDS: [Kind; 4] = [Kind::Places, Kind::Nights, Kind::Seats, Kind::Slots];

/// Listings that fit, the oldest first
///
/// Drafts are shown to keys only.
#[utoipa::path(
    get,
    path = "/v1/listings",
    operation_id = "listListings",
    tag = "listings",
    params(
        ("kind" = Option<Kind>, Query, description = "What is scarce"),
        ("category" = Option<String>, Query, description = "The category, ignoring case"),
        ("city" = Option<String>, Query, description = "The city, ignoring case"),
        ("q" = Option<String>, Query, description = "Words that all stand in its texts"),
        ("from" = Option<String>, Query, description = "Takes place at or after this date (in its time zone) or instant"),
        ("until" = Option<String>, Query, description = "Takes place before this date or instant"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most items of the page; default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<ListingView>),
    ),
    security((), ("api_key" = [])),
)]
pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let actor = anybody(&state.engine, &head.headers)?;
    let mut params = Params::new(head.uri.query());
    let paging = Paging::read(&state.engine, &mut params, List::Listings);
    let wanted = Wanted::read(&mut params);
    params.finish()?;
    let after = paging.after.unwrap_or(0);
    let fits = |listing: &Arc<Listing>| {
        let hidden = actor == Actor::Public && listing.doc.status == Status::Draft;
        listing.no.0 > after && !hidden && wanted.fits(listing)
    };
    let found = state.engine.listings().into_iter().filter(fits).take(paging.ask() as usize).collect();
    let page = paging.page(&state.engine, found, |listing: &Arc<Listing>| listing.no.0);
    Ok(json(StatusCode::OK, &page.map(|listing| ListingView::new(&listing))))
}

/// What to look for.
#[derive(Default)]
pub(crate) struct Wanted {
    kind: Option<Kind>,
    category: Option<String>,
    city: Option<String>,
    words: Vec<String>,
    from: Option<Moment>,
    until: Option<Moment>,
}

impl Wanted {
    /// What the parameters say. Those that cannot be read are noted there, and look for nothing.
    pub(crate) fn read(params: &mut Params) -> Self {
        Self {
            kind: params.one_of("kind", &KINDS.map(|kind| (kind.as_str(), kind))),
            category: params.text("category").map(|text| text.to_lowercase()),
            city: params.text("city").map(|text| text.to_lowercase()),
            words: params.text("q").map_or_else(Vec::new, |text| {
                text.to_lowercase().split_whitespace().map(str::to_owned).collect()
            }),
            from: params.moment("from"),
            until: params.moment("until"),
        }
    }

    /// Whether a listing is what is looked for.
    pub(crate) fn fits(&self, listing: &Listing) -> bool {
        let doc = &listing.doc;
        let same = |wanted: &Option<String>, has: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| has.as_ref().is_some_and(|has| has.to_lowercase() == *wanted))
        };
        self.kind.is_none_or(|kind| kind == listing.kind())
            && same(&self.category, &doc.category)
            && same(&self.city, &doc.city)
            && self.in_time(listing)
            && self.in_text(listing)
    }

    /// Every word stands somewhere in what the listing says about itself.
    fn in_text(&self, listing: &Listing) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let doc = &listing.doc;
        let texts = [
            Some(&doc.title),
            doc.description.as_ref(),
            doc.category.as_ref(),
            doc.city.as_ref(),
            doc.venue.as_ref(),
        ];
        let text = texts.into_iter().flatten().map(|text| text.to_lowercase()).collect::<Vec<_>>().join("\n");
        self.words.iter().all(|word| text.contains(word))
    }

    /// It takes place, at least in part, from `from` on and before `until`. What has no date always does.
    fn in_time(&self, listing: &Listing) -> bool {
        if self.from.is_none() && self.until.is_none() {
            return true;
        }
        let Some((starts_at, ends_at)) = span(listing) else { return true };
        self.from.is_none_or(|from| from.at(listing) < ends_at)
            && self.until.is_none_or(|until| starts_at < until.at(listing))
    }
}

/// From when to when it takes place.
fn span(listing: &Listing) -> Option<(Time, Time)> {
    match &listing.doc.shape {
        Shape::Places { .. } | Shape::Seats { .. } => {
            let any = PoolNo::new(0, 0);
            listing.pool_starts_at(any).zip(listing.pool_ends_at(any))
        }
        Shape::Nights { calendar, .. } | Shape::Slots { calendar, .. } => {
            let midnight =
                |date| Time::from_millis(local_instant(date, jiff::civil::Time::midnight(), listing.zone()));
            Some((midnight(calendar.from), midnight(calendar.until)))
        }
    }
}
