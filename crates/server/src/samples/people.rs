//! Customers that are plainly samples.

use lastseat_core::customer::Customer;

const FIRST_NAMES: &[&str] = &[
    "Aziza", "Jonas", "Maya", "Arjun", "Sofia", "Timur", "Hana", "Kwame", "Lucía", "Bekzod", "Emma", "Ravi",
    "Nilufar", "Oskar", "Wanjiru", "Yuki", "Dilnoza", "Mateus", "Priya", "Lena", "Rustam", "Chloe", "Kiran",
    "Beatriz", "Sardor", "Freya", "Anjali", "Diego", "Kamila", "Noah", "Amara", "Kenji",
];
const LAST_NAMES: &[&str] = &["Sample", "Example", "Specimen", "Template"];

/// The sample customer of that number. Nobody's address: example.org is reserved.
pub(crate) fn customer(number: usize) -> Customer {
    let first = FIRST_NAMES[number % FIRST_NAMES.len()];
    let last = LAST_NAMES[(number / FIRST_NAMES.len()) % LAST_NAMES.len()];
    Customer {
        name: format!("{first} {last}"),
        email: Some(format!("customer-{number}@example.org")),
        ..Customer::default()
    }
}
