//! Edits of a listing: a JSON merge patch (RFC 7396) on its form. Texts, times, terms and status may
//! change; resources and the calendar may grow; opening hours may change where nothing is booked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::build::{MAX_POOLS, check_common, foreign, positions, resource_groups, shape, too_many_pools};
use super::spec::{ListingSpec, ResourceSpec, SeatingSpec};
use super::{Calendar, Group, Groups, Listing, ListingDoc, Shape, Status, policy::MAX_POLICIES};
use crate::calendar::OpeningHours;
use crate::pool::{Pool, PoolNo};
use crate::refusal::FieldError;
use crate::time::Time;

/// Fields that hold a list.
pub const LISTS: [&str; 3] = ["pools", "resources", "opening_hours"];

/// What an edit makes of a listing.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// The new document.
    pub doc: ListingDoc,
    /// The new groups, if they changed.
    pub groups: Option<Groups>,
    /// New pools.
    pub add: Vec<(PoolNo, Pool)>,
    /// Pools that are gone.
    pub remove: Vec<PoolNo>,
}

/// The form of a listing as it is, without the seating plan.
#[must_use]
pub fn form(listing: &Listing) -> ListingSpec {
    let doc = &listing.doc;
    let resources = |seats: bool| -> Vec<ResourceSpec> {
        let all = listing.groups.all().iter().filter(|group| group.seat.is_some() == seats);
        all.map(|group| ResourceSpec {
            key: group.key.clone(),
            title: Some(group.title.clone()),
            capacity: group.capacity,
            price: group.price,
        })
        .collect()
    };
    let mut spec = ListingSpec {
        category: doc.category.clone(),
        title: doc.title.clone(),
        description: doc.description.clone(),
        city: doc.city.clone(),
        venue: doc.venue.clone(),
        timezone: doc.timezone.clone(),
        currency: doc.currency.clone(),
        policy: listing.policy().clone(),
        sale_opens_at: doc.sale_opens_at,
        sale_closes_at: doc.sale_closes_at,
        status: doc.status,
        ..ListingSpec::empty(listing.kind())
    };
    match &doc.shape {
        Shape::Places { starts_at, ends_at } => {
            (spec.starts_at, spec.ends_at, spec.pools) = (*starts_at, *ends_at, resources(false));
        }
        Shape::Seats { starts_at, ends_at, prices } => {
            (spec.starts_at, spec.ends_at, spec.pools) = (*starts_at, *ends_at, resources(false));
            spec.seating = Some(SeatingSpec { plan: None, prices: prices.clone() });
        }
        Shape::Nights { calendar, check_in_time, check_out_time, min_nights } => {
            spec.resources = resources(false);
            spec.calendar = Some(*calendar);
            (spec.check_in_time, spec.check_out_time) = (Some(*check_in_time), Some(*check_out_time));
            spec.min_nights = Some(*min_nights);
        }
        Shape::Slots { calendar, opening_hours, slot_minutes, buffer_minutes } => {
            spec.resources = resources(false);
            spec.calendar = Some(*calendar);
            spec.opening_hours.clone_from(opening_hours);
            (spec.slot_minutes, spec.buffer_minutes) = (Some(*slot_minutes), Some(*buffer_minutes));
        }
    }
    spec.policy.hold_max_seconds = Some(spec.policy.hold_max());
    spec
}

/// Applies a merge patch. `pools` are the listing's pools where the patch touches its dates or resources.
///
/// # Errors
/// Every wrong field.
pub fn change(
    listing: &Listing,
    patch: &Value,
    pools: &[(PoolNo, Pool)],
    now: Time,
) -> Result<Change, Vec<FieldError>> {
    let old = form(listing);
    let mut merged = serde_json::to_value(&old).expect("a form is JSON");
    let Some(named) = patch.as_object() else {
        return Err(vec![FieldError::new("body", "must be an object")]);
    };
    merge(&mut merged, patch);
    let mut problems = Vec::new();
    // Null is what fields of other kinds are anyway; lists have no null.
    let given = named.iter().filter(|(field, value)| !value.is_null() || LISTS.contains(&field.as_str()));
    problems.extend(given.filter_map(|(field, _)| foreign(listing.kind(), field)));
    if patch.pointer("/policy/hold_max_seconds").is_none()
        && listing.policy().hold_max_seconds.is_none()
        && let Some(policy) = merged.get_mut("policy").and_then(Value::as_object_mut)
    {
        policy.insert("hold_max_seconds".to_owned(), Value::Null);
    }
    if let Some(form) = merged.as_object_mut() {
        problems.iter().for_each(|wrong: &FieldError| drop(form.remove(&wrong.field)));
    }
    let new: ListingSpec = match crate::form::read(merged) {
        Ok(new) => new,
        Err(wrong) => {
            problems.push(wrong);
            return Err(problems);
        }
    };
    check_common(&mut problems, &new);
    check_fixed(&mut problems, &old, &new);
    let shape = shape(&mut problems, &new);
    let groups = grown(&mut problems, listing, &old, &new);
    let (Some(shape), true) = (shape, problems.is_empty()) else { return Err(problems) };
    let mut doc = listing.doc.clone();
    doc.category = new.category;
    doc.title = new.title;
    doc.description = new.description;
    doc.city = new.city;
    doc.venue = new.venue;
    doc.sale_opens_at = new.sale_opens_at;
    doc.sale_closes_at = new.sale_closes_at;
    if new.status == Status::Cancelled && doc.status != Status::Cancelled {
        doc.cancelled_at = Some(now);
    }
    doc.status = new.status;
    if new.policy != *listing.policy() {
        if doc.policies.len() >= MAX_POLICIES {
            problems.push(FieldError::new("policy", "was changed too often; make a new listing"));
        }
        doc.counts_customers |= new.policy.limits_customers();
        doc.policies.push(new.policy);
    }
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    if listing.kind().is_dated() && (groups.is_some() || dates(&shape) != dates(&doc.shape)) {
        let groups = groups.as_ref().map_or(listing.groups.all(), |groups| groups.all());
        let most = MAX_POOLS / groups.len().max(1);
        let wanted = positions(&shape, listing.zone(), most);
        if wanted.len() <= most {
            (add, remove) = reshape(&shape, &wanted.iter().copied().collect(), groups, pools);
        }
        if wanted.len() > most || pools.len() + add.len() > MAX_POOLS + remove.len() {
            problems.push(too_many_pools());
        }
    }
    if moves(&doc.shape, &shape) {
        doc.times_version = Some(listing.version + 1);
    }
    doc.shape = shape;
    if problems.is_empty() { Ok(Change { doc, groups, add, remove }) } else { Err(problems) }
}

/// What decides which dated pools there are. A new check-in time, say, makes and removes none.
const fn dates(shape: &Shape) -> Option<(&Calendar, Option<&Vec<OpeningHours>>)> {
    match shape {
        Shape::Places { .. } | Shape::Seats { .. } => None,
        Shape::Nights { calendar, .. } => Some((calendar, None)),
        Shape::Slots { calendar, opening_hours, .. } => Some((calendar, Some(opening_hours))),
    }
}

/// Whether an edit moves what the starts and ends of bookings are made of.
fn moves(old: &Shape, new: &Shape) -> bool {
    match (old, new) {
        (Shape::Places { starts_at: a, ends_at: b }, Shape::Places { starts_at, ends_at })
        | (Shape::Seats { starts_at: a, ends_at: b, .. }, Shape::Seats { starts_at, ends_at, .. }) => {
            (a, b) != (starts_at, ends_at)
        }
        (
            Shape::Nights { check_in_time: a, check_out_time: b, .. },
            Shape::Nights { check_in_time, check_out_time, .. },
        ) => (a, b) != (check_in_time, check_out_time),
        _ => false,
    }
}

/// RFC 7396, but a null for what is not there stays, so that a name that nothing has is found out.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let target = target.as_object_mut().expect("just made one");
    for (key, value) in patch {
        if value.is_null() {
            if target.remove(key).is_none() {
                target.insert(key.clone(), Value::Null);
            }
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn check_fixed(problems: &mut Vec<FieldError>, old: &ListingSpec, new: &ListingSpec) {
    let plan_given = new.seating.as_ref().is_some_and(|seating| seating.plan.is_some());
    let fixed = [
        ("kind", old.kind == new.kind),
        ("timezone", old.timezone == new.timezone),
        ("currency", old.currency == new.currency),
        ("pools", old.pools == new.pools),
        ("slot_minutes", old.slot_minutes == new.slot_minutes),
        ("buffer_minutes", old.buffer_minutes == new.buffer_minutes),
        ("seating", old.seating == new.seating && !plan_given),
    ];
    for (field, same) in fixed {
        if !same {
            let text = match field {
                "pools" => "are changed by PUT /v1/listings/{id}/pools",
                _ => "cannot be changed; make a new listing",
            };
            problems.push(FieldError::new(field, text));
        }
    }
    if old.status == Status::Cancelled && new.status != Status::Cancelled {
        problems.push(FieldError::new("status", "is cancelled, and stays so"));
    }
    if let (Some(before), Some(after)) = (old.calendar, new.calendar)
        && (after.from > before.from || after.until < before.until)
    {
        let text = format!("may only grow; it is {} to {} now", before.from, before.until);
        problems.push(FieldError::new("calendar", text));
    }
}

/// The groups with new resources behind the old ones, if anything changed.
fn grown(
    problems: &mut Vec<FieldError>,
    listing: &Listing,
    old: &ListingSpec,
    new: &ListingSpec,
) -> Option<Groups> {
    if old.resources == new.resources {
        return None;
    }
    let wanted = resource_groups(problems, "resources", &new.resources);
    let mut by_key: HashMap<&str, &Group> = HashMap::new();
    for group in &wanted {
        if by_key.insert(&group.key, group).is_some() {
            problems.push(FieldError::new("resources", format!("the key {} stands twice", group.key)));
        }
    }
    let mut groups = listing.groups.all().to_vec();
    for group in &mut groups {
        match by_key.remove(group.key.as_str()) {
            None => {
                problems.push(FieldError::new("resources", format!("{} cannot be taken away", group.key)));
            }
            Some(wanted) if (wanted.capacity, wanted.price) != (group.capacity, group.price) => {
                let text = format!(
                    "capacity and price of {} are changed by PUT /v1/listings/{{id}}/pools",
                    group.key
                );
                problems.push(FieldError::new("resources", text));
            }
            Some(wanted) => group.title.clone_from(&wanted.title),
        }
    }
    groups.extend(wanted.iter().filter(|group| by_key.contains_key(group.key.as_str())).cloned());
    Some(Groups::new(groups))
}

/// Which pools a new calendar, new hours or new resources add, and which they take away. A slot that is
/// booked stays, and nothing is added that would overlap it.
fn reshape(
    shape: &Shape,
    wanted: &BTreeSet<u32>,
    groups: &[Group],
    pools: &[(PoolNo, Pool)],
) -> (Vec<(PoolNo, Pool)>, Vec<PoolNo>) {
    let step = match shape {
        Shape::Slots { slot_minutes, buffer_minutes, .. } => slot_minutes + buffer_minutes,
        _ => 1,
    };
    let mut kept: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut remove = Vec::new();
    for (no, pool) in pools {
        if wanted.contains(&no.position) || pool.held + pool.confirmed > 0 {
            kept.entry(no.group).or_default().insert(no.position);
        } else {
            remove.push(*no);
        }
    }
    let mut add = Vec::new();
    let none = BTreeSet::new();
    for (number, group) in (0u32..).zip(groups) {
        let kept = kept.get(&number).unwrap_or(&none);
        for &position in wanted {
            let from = position.saturating_sub(step - 1);
            if kept.range(from..position.saturating_add(step)).next().is_none() {
                let pool = Pool { capacity: group.capacity, price: group.price, ..Pool::default() };
                add.push((PoolNo::new(number, position), pool));
            }
        }
    }
    (add, remove)
}
