//! Amounts as people read and write them: minor units in the form of their currency.

use iso_currency::Currency;

/// Digits after the point of a currency that is not known.
const DEFAULT_EXPONENT: u32 = 2;
/// Digits of an amount that a form may carry; more is beyond every limit on prices.
const MAX_DIGITS: usize = 15;

/// How many digits of an amount stand after the point: 2 for EUR, 0 for JPY, 3 for KWD.
#[must_use]
pub(crate) fn exponent(currency: &str) -> u32 {
    let known = Currency::from_code(currency).and_then(|currency| currency.exponent());
    known.map_or(DEFAULT_EXPONENT, u32::from)
}

/// `12,500 UZS`, `99.50 EUR`: whole amounts without the zeros behind the point.
#[must_use]
pub(crate) fn amount(minor: i64, currency: &str) -> String {
    format!("{} {currency}", number(minor, currency))
}

/// As [`amount`], and `free` for nothing.
#[must_use]
pub(crate) fn price(minor: i64, currency: &str) -> String {
    if minor == 0 { "free".to_owned() } else { amount(minor, currency) }
}

/// `12,500`, `99.50`: [`amount`] without the currency.
#[must_use]
pub(crate) fn number(minor: i64, currency: &str) -> String {
    let (whole, rest, digits) = parts(minor, currency);
    let mut text = whole.to_string();
    let mut at = text.len();
    while at > 3 {
        at -= 3;
        text.insert(at, ',');
    }
    if rest > 0 {
        text = format!("{text}.{rest:0digits$}");
    }
    if minor < 0 { format!("−{text}") } else { text }
}

/// For the cells of a calendar: at most four or five characters, `99`, `12k`, `1.3M`.
#[must_use]
pub(crate) fn compact(minor: i64, currency: &str) -> String {
    let (whole, _, _) = parts(minor, currency);
    match whole {
        0..10_000 => number(minor, currency),
        10_000..1_000_000 => scaled(whole, 1_000, "k"),
        1_000_000..1_000_000_000 => scaled(whole, 1_000_000, "M"),
        _ => scaled(whole, 1_000_000_000, "bn"),
    }
}

fn scaled(whole: u64, unit: u64, name: &str) -> String {
    let tenths = (whole * 10).div_ceil(unit);
    match (tenths / 10, tenths % 10) {
        (units, 0) => format!("{units}{name}"),
        (units, _) if units >= 100 => format!("{units}{name}"),
        (units, tenth) => format!("{units}.{tenth}{name}"),
    }
}

/// What a form field shows and takes back: `12500`, `99.50`.
#[must_use]
pub(crate) fn plain(minor: i64, currency: &str) -> String {
    let (whole, rest, digits) = parts(minor, currency);
    let sign = if minor < 0 { "-" } else { "" };
    if rest == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:0digits$}") }
}

fn parts(minor: i64, currency: &str) -> (u64, u64, usize) {
    let digits = exponent(currency);
    let scale = 10u64.pow(digits);
    let value = minor.unsigned_abs();
    (value / scale, value % scale, digits as usize)
}

/// Reads an amount that a person typed, in major units: `12500`, `12 500`, `99.5`, `99,50`.
///
/// # Errors
/// What is wrong, as a fragment that reads after the field's name.
pub(crate) fn parse(text: &str, currency: &str) -> Result<i64, String> {
    let digits = exponent(currency) as usize;
    let example = if digits == 0 { "1500".to_owned() } else { format!("1500.{}", "5".repeat(digits)) };
    let wrong = || format!("must be an amount in {currency}, written like {example}");
    let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '\'').collect();
    let (whole, rest) = text.split_once(['.', ',']).unwrap_or((&text, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(rest) || whole.len() + digits > MAX_DIGITS {
        return Err(wrong());
    }
    if rest.len() > digits {
        return Err(wrong());
    }
    format!("{whole}{rest:0<digits$}").parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        assert_eq!(amount(2_500_000, "UZS"), "25,000 UZS");
        assert_eq!(amount(9_950, "EUR"), "99.50 EUR");
        assert_eq!(amount(9_905, "EUR"), "99.05 EUR");
        assert_eq!(amount(1_500, "JPY"), "1,500 JPY");
        assert_eq!(amount(1_234_567, "KWD"), "1,234.567 KWD");
        assert_eq!(amount(5, "KWD"), "0.005 KWD");
        assert_eq!(amount(-150, "EUR"), "−1.50 EUR");
        assert_eq!(price(0, "EUR"), "free");
    }

    #[test]
    fn calendar_cells_get_short_amounts() {
        assert_eq!(compact(9_900, "EUR"), "99");
        assert_eq!(compact(1_250_000, "EUR"), "12.5k");
        assert_eq!(compact(125_000_000, "UZS"), "1.3M");
        assert_eq!(compact(99_000_000, "UZS"), "990k");
    }

    #[test]
    fn what_a_form_shows_it_reads_back() {
        for (minor, currency) in [(0, "EUR"), (9_950, "EUR"), (2_500_000, "UZS"), (7, "JPY"), (1_001, "KWD")]
        {
            assert_eq!(parse(&plain(minor, currency), currency), Ok(minor));
        }
        assert_eq!(parse("12 500,5", "EUR"), Ok(1_250_050));
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for text in ["", "abc", "1,500", "1.500,00", "-5", "1e9", "99999999999999999999"] {
            assert!(parse(text, "EUR").is_err(), "{text}");
        }
        assert!(parse("1.5", "JPY").unwrap_err().contains("1500"));
    }
}
