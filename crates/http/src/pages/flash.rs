//! What was just done, said above the page that one is sent to afterwards. Addresses carry a word, never a text.

use super::form::Form;

/// The sentence for the word in an address.
#[must_use]
pub(crate) fn of(query: &Form) -> Option<&'static str> {
    Some(match query.get("did") {
        "approved" => "Approved: the booking is confirmed, and its customer sees it.",
        "rejected" => "Rejected: the places are free again, and the customer reads why.",
        "confirmed" => "The payment is written down.",
        "refund" => "The refund is written down.",
        "cancelled-booking" => "The booking is cancelled.",
        "extended-booking" => "The hold lasts longer now.",
        "created" => "The listing is made.",
        "saved" => "Saved.",
        "status" => "The status is changed.",
        "pools" => "Capacity and prices are changed.",
        "removed" => "Removed from the waitlist: those behind move up.",
        "removed-offer" => {
            "Removed from the waitlist: the hold is cancelled, and what was held went to the next in line, if there is one."
        }
        "revoked" => "The key is taken away. Whoever used it is out at once.",
        "receipt" => "Your receipt is here. It will be checked soon.",
        "late" => {
            "Your receipt is here. It came after the time to pay had run out, so look below how it stands."
        }
        "extended" => "You have more time now.",
        "cancelled" => "Your booking is cancelled.",
        "moved" => "Your booking is moved.",
        "taken" => "It is yours now.",
        "forgotten" => "Forgotten here. The bookings themselves stand: their links still open them.",
        _ => return None,
    })
}
