//! Languages that pictures are read in.

use crate::words::Country;

/// Languages as tesseract calls them, joined as it wants them: those of a desk's countries, and English, which software speaks
/// everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Languages(String);

impl Languages {
    /// The languages that belong to these countries; of no country at all, those of all.
    #[must_use]
    pub fn of(countries: &[Country]) -> Self {
        let countries = if countries.is_empty() { Country::ALL } else { countries };
        let mut names: Vec<&str> = Vec::new();
        for name in countries.iter().flat_map(|country| spoken(*country)).chain(&["eng"]) {
            if !names.contains(name) {
                names.push(name);
            }
        }
        Self(names.join("+"))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Languages {
    fn default() -> Self {
        Self::of(Country::ALL)
    }
}

fn spoken(country: Country) -> &'static [&'static str] {
    match country {
        Country::Nl | Country::Be => &["nld"],
        Country::Dk => &["dan"],
        Country::No => &["nor"],
        Country::Se => &["swe"],
        Country::Fi => &["fin", "swe"],
        Country::De => &["deu"],
        Country::Gb | Country::Ie => &["eng"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_reads_in_the_languages_of_its_countries() {
        assert_eq!(Languages::default().as_str(), "nld+dan+nor+swe+fin+deu+eng");
        assert_eq!(Languages::of(&[]), Languages::default());
        assert_eq!(Languages::of(&[Country::Nl, Country::Be]).as_str(), "nld+eng");
        assert_eq!(Languages::of(&[Country::Fi, Country::Se]).as_str(), "fin+swe+eng");
    }
}
