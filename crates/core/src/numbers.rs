//! Numbers that nobody has yet, for what is new.

use std::collections::VecDeque;
use std::ops::Range;

/// Numbers to be given away, in the order in which they are to be given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Numbers(VecDeque<Range<i64>>);

impl Numbers {
    /// All numbers from `first` on: where nobody else gives numbers.
    #[must_use]
    pub fn from(first: i64) -> Self {
        Self(std::iter::once(first..i64::MAX).collect())
    }

    /// The next number, which stays there.
    #[must_use]
    pub fn peek(&self) -> Option<i64> {
        self.0.front().map(|range| range.start)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.iter().map(|range| range.end.abs_diff(range.start)).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the next number.
    pub fn take(&mut self) -> Option<i64> {
        let front = self.0.front_mut()?;
        let number = front.next();
        if front.is_empty() {
            self.0.pop_front();
        }
        number
    }

    /// Lets go of the next `count` numbers.
    pub fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.take();
        }
    }
}

impl Extend<i64> for Numbers {
    fn extend<I: IntoIterator<Item = i64>>(&mut self, numbers: I) {
        for number in numbers {
            match self.0.back_mut() {
                Some(last) if last.end == number => last.end += 1,
                _ => self.0.push_back(number..number + 1),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_in_the_order_in_which_they_were_put_in() {
        let mut numbers = Numbers::default();
        assert_eq!((numbers.peek(), numbers.take(), numbers.len()), (None, None, 0));
        numbers.extend([5, 6, 7, 12, 3]);
        assert_eq!((numbers.peek(), numbers.len(), numbers.0.len()), (Some(5), 5, 3));
        let mut given = Vec::new();
        while let Some(number) = numbers.take() {
            given.push(number);
        }
        assert_eq!(given, [5, 6, 7, 12, 3]);
        assert!(numbers.is_empty());
        let mut endless = Numbers::from(9);
        assert_eq!((endless.take(), endless.take(), endless.peek()), (Some(9), Some(10), Some(11)));
    }
}
