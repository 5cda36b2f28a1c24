//! Terms of the calendar: how long something is kept.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

/// A length of time in units of the calendar, such as `3 months`. A month after 31 January is the last day of February, and
/// a day is a day even where the clocks change (jiff's arithmetic on civil time).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    amount: u16,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Days,
    Weeks,
    Months,
    Years,
}

/// The words for one and for many of each unit.
const UNITS: [(Unit, &str, &str); 4] =
    [(Unit::Days, "day", "days"), (Unit::Weeks, "week", "weeks"), (Unit::Months, "month", "months"), (Unit::Years, "year", "years")];

/// The longest term: beyond it a term is a mistake.
const MOST: u16 = 9_999;

impl Term {
    /// So many days.
    #[must_use]
    pub const fn days(amount: u16) -> Self {
        Self { amount, unit: Unit::Days }
    }

    /// So many months of the calendar.
    #[must_use]
    pub const fn months(amount: u16) -> Self {
        Self { amount, unit: Unit::Months }
    }

    /// So many years of the calendar.
    #[must_use]
    pub const fn years(amount: u16) -> Self {
        Self { amount, unit: Unit::Years }
    }

    /// When a term that begins at that moment is over, by the calendar and the clocks of that zone. A term that ends beyond
    /// all calendars never ends.
    #[must_use]
    pub fn end(self, begin: Timestamp, zone: &TimeZone) -> Timestamp {
        begin.to_zoned(zone.clone()).checked_add(self.span()).map_or(Timestamp::MAX, |end| end.timestamp())
    }

    fn span(self) -> Span {
        let amount = i64::from(self.amount);
        match self.unit {
            Unit::Days => amount.days(),
            Unit::Weeks => amount.weeks(),
            Unit::Months => amount.months(),
            Unit::Years => amount.years(),
        }
    }
}

/// What is no term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a term is a whole number up to {MOST} and days, weeks, months or years, like \"3 months\"")]
pub struct NotATerm;

impl FromStr for Term {
    type Err = NotATerm;

    fn from_str(text: &str) -> Result<Self, NotATerm> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or(NotATerm)?;
        let (digits, word) = text.split_at_checked(end).ok_or(NotATerm)?;
        let word = word.trim().to_ascii_lowercase();
        let (unit, ..) = UNITS.into_iter().find(|(_, one, many)| [*one, *many].contains(&word.as_str())).ok_or(NotATerm)?;
        let amount = digits.parse().ok().filter(|amount| *amount <= MOST).ok_or(NotATerm)?;
        Ok(Self { amount, unit })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word =
            UNITS.iter().find(|(unit, ..)| *unit == self.unit).map_or("", |(_, one, many)| if self.amount == 1 { one } else { many });
        write!(f, "{} {word}", self.amount)
    }
}

/// How long what is kept (POLICY "Retention"); setting `[retention]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Originals in the `done` folder, from filing.
    pub originals: Term,
    /// Attachments, from the closing of their ticket or of the change that is linked to it.
    pub attachments: Term,
    /// Tickets that wait in the queue, from the last thing that happened on them.
    pub queue: Term,
    /// Everything of an organisation, from the end of its contract.
    pub contract: Term,
    /// Decisions and approvals, from the closing of their ticket; without a ticket from the decision.
    pub decisions: Term,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            originals: Term::days(30),
            attachments: Term::months(3),
            queue: Term::months(3),
            contract: Term::days(0),
            decisions: Term::years(5),
        }
    }
}

/// Terms that an organisation agreed; none: as for everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgreedTerms {
    /// As [`Terms::originals`].
    pub originals: Option<Term>,
    /// As [`Terms::attachments`].
    pub attachments: Option<Term>,
    /// As [`Terms::queue`].
    pub queue: Option<Term>,
    /// As [`Terms::contract`].
    pub contract: Option<Term>,
    /// As [`Terms::decisions`].
    pub decisions: Option<Term>,
}

impl AgreedTerms {
    /// These, and for the rest those of the house.
    #[must_use]
    pub fn over(&self, house: &Terms) -> Terms {
        Terms {
            originals: self.originals.unwrap_or(house.originals),
            attachments: self.attachments.unwrap_or(house.attachments),
            queue: self.queue.unwrap_or(house.queue),
            contract: self.contract.unwrap_or(house.contract),
            decisions: self.decisions.unwrap_or(house.decisions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_follow_the_calendar_and_the_clocks() {
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        for (begin, term, end) in [
            // Months end where they end, also in a leap year.
            ("2026-11-30T15:00:00+01:00", "3 months", "2027-02-28T15:00:00+01:00"),
            ("2027-11-30T15:00:00+01:00", "3 months", "2028-02-29T15:00:00+01:00"),
            ("2027-11-29T15:00:00+01:00", "3 months", "2028-02-29T15:00:00+01:00"),
            ("2028-02-29T12:00:00+01:00", "1 year", "2029-02-28T12:00:00+01:00"),
            ("2028-02-29T12:00:00+01:00", "4 years", "2032-02-29T12:00:00+01:00"),
            ("2027-01-31T00:00:00+01:00", "1 month", "2027-02-28T00:00:00+01:00"),
            ("2026-12-31T23:30:00+01:00", "2 months", "2027-02-28T23:30:00+01:00"),
            // Closed on the evening of the 30th in UTC, on the 1st by the desk's clock.
            ("2026-11-30T23:30:00Z", "3 months", "2027-03-01T00:30:00+01:00"),
            // The clocks go forward on 28 March 2027 and back on 31 October: the hour of the day stays.
            ("2027-03-01T10:00:00+01:00", "30 days", "2027-03-31T10:00:00+02:00"),
            ("2027-10-30T10:00:00+02:00", "1 day", "2027-10-31T10:00:00+01:00"),
            ("2027-03-14T02:30:00+01:00", "2 weeks", "2027-03-28T03:30:00+02:00"),
            ("2027-03-14T10:00:00+01:00", "0 days", "2027-03-14T10:00:00+01:00"),
        ] {
            let term: Term = term.parse().unwrap();
            assert_eq!(term.end(begin.parse().unwrap(), &zone), end.parse::<Timestamp>().unwrap(), "{begin} + {term}");
        }
        assert_eq!(Term::years(9_999).end("2026-01-01T00:00:00Z".parse().unwrap(), &zone), Timestamp::MAX);
    }

    #[test]
    fn a_term_is_written_as_it_is_read() {
        for text in ["0 days", "1 day", "2 weeks", "1 month", "3 months", "5 years"] {
            assert_eq!(text.parse::<Term>().unwrap().to_string(), text);
        }
        assert_eq!("30DAYS".parse::<Term>(), Ok(Term::days(30)));
        for wrong in ["", "3", "months", "-1 days", "3 moons", "1.5 years", "10000 days", "3 months 2 days", "99999999999 days"] {
            assert_eq!(wrong.parse::<Term>(), Err(NotATerm), "{wrong}");
        }
    }
}
