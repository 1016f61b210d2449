//! Amounts for people.

use iso_currency::Currency;

/// `99.50 EUR`, `2,500,000 JPY`: an amount in minor units, as the currency is written.
pub(crate) fn amount(minor: i64, currency: &str) -> String {
    let digits = Currency::from_code(currency).and_then(|currency| currency.exponent()).unwrap_or(2);
    let unit = 10_u64.pow(u32::from(digits));
    let (whole, rest) = (minor.unsigned_abs() / unit, minor.unsigned_abs() % unit);
    let mut text = whole.to_string();
    let mut at = text.len();
    while at > 3 {
        at -= 3;
        text.insert(at, ',');
    }
    let sign = if minor < 0 { "-" } else { "" };
    match digits {
        0 => format!("{sign}{text} {currency}"),
        digits => format!("{sign}{text}.{rest:0width$} {currency}", width = usize::from(digits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_their_currency_is() {
        assert_eq!(amount(9_950, "EUR"), "99.50 EUR");
        assert_eq!(amount(250_000_000, "UZS"), "2,500,000.00 UZS");
        assert_eq!(amount(1_800, "JPY"), "1,800 JPY");
        assert_eq!(amount(-1_005, "KWD"), "-1.005 KWD");
        assert_eq!(amount(0, "USD"), "0.00 USD");
    }
}
