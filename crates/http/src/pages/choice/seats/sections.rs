//! Sections: the zones of a plan, large ones cut into stretches of rows, so that no page carries too many seats.

use super::Spot;

/// Most seats of a section, unless a single row has more.
const MAX_SECTION_SEATS: usize = 600;

/// A part of a plan that is shown at once.
pub(super) struct Section<'a> {
    /// What it is called.
    pub title: String,
    /// Its seats, row by row.
    pub spots: &'a [Spot<'a>],
}

/// The sections of a plan, in its order. A plan with few seats is one section, whatever zones it has.
pub(super) fn of<'a>(spots: &'a [Spot<'a>]) -> Vec<Section<'a>> {
    if spots.len() <= MAX_SECTION_SEATS {
        return vec![Section { title: String::new(), spots }];
    }
    let mut sections = Vec::new();
    for zone in spots.chunk_by(|a, b| a.seat.zone == b.seat.zone) {
        let mut begin = 0;
        let mut end = 0;
        for row in zone.chunk_by(|a, b| a.seat.row == b.seat.row) {
            if end > begin && end - begin + row.len() > MAX_SECTION_SEATS {
                sections.push(section(zone, begin, end));
                begin = end;
            }
            end += row.len();
        }
        sections.push(section(zone, begin, end));
    }
    sections
}

fn section<'a>(zone: &'a [Spot<'a>], begin: usize, end: usize) -> Section<'a> {
    let spots = &zone[begin..end];
    let rows = match (spots.first().map(|spot| &spot.seat.row), spots.last().map(|spot| &spot.seat.row)) {
        (Some(first), Some(last)) if first == last => format!("row {first}"),
        (Some(first), Some(last)) => format!("rows {first}–{last}"),
        _ => String::new(),
    };
    let name = zone.first().map_or("", |spot| spot.seat.zone.as_str());
    let title = match (name, spots.len() == zone.len()) {
        ("", _) => rows,
        (name, true) => name.to_owned(),
        (name, false) => format!("{name}, {rows}"),
    };
    Section { title, spots }
}
