//! The late rule: the same lines are admitted again, whatever the sale window, if the listing is not closed
//! or called off.

use super::booking::Subject;
use crate::admission::{Admission, AdmissionKind, Window, admit};
use crate::pool::PoolNo;
use crate::refusal::Refusal;
use crate::world::World;

pub(super) fn readmit(world: &World, subject: &Subject, kind: AdmissionKind) -> Result<(), Refusal> {
    let asked: Vec<(PoolNo, i64)> = subject.row.lines.iter().map(|line| (line.pool, line.quantity)).collect();
    admit(
        world,
        &Admission {
            listing: &subject.listing,
            policy: subject.listing.policy_of(subject.row.policy),
            asked: &asked,
            customer: &subject.row.customer,
            address: None,
            own: None,
            kind,
            window: Window::Late,
        },
    )
}
