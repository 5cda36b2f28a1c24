//! Languages that we answer in, and countries whose numbers we know.

use std::fmt;
use std::str::FromStr;

/// The code is none that postkamer knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one of {0} is expected")]
pub struct UnknownCode(&'static str);

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident, $known:literal, $($(#[$variant_doc:meta])* $variant:ident = $code:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as it stands in settings and in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownCode;
            fn from_str(code: &str) -> Result<Self, UnknownCode> {
                Self::ALL.iter().copied().find(|known| known.as_str() == code).ok_or(UnknownCode($known))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

codes! {
    /// A language of our replies (ISO 639-1).
    Language, "nl, da, nb, sv, en, de",
    /// Dutch.
    Nl = "nl",
    /// Danish.
    Da = "da",
    /// Norwegian Bokmål.
    Nb = "nb",
    /// Swedish.
    Sv = "sv",
    /// English.
    En = "en",
    /// German.
    De = "de",
}

codes! {
    /// A country whose identity numbers are known (ISO 3166-1 alpha-2, lower case).
    Country, "nl, be, dk, no, se, fi, de, gb, ie",
    /// The Netherlands.
    Nl = "nl",
    /// Belgium.
    Be = "be",
    /// Denmark.
    Dk = "dk",
    /// Norway.
    No = "no",
    /// Sweden.
    Se = "se",
    /// Finland.
    Fi = "fi",
    /// Germany.
    De = "de",
    /// The United Kingdom.
    Gb = "gb",
    /// Ireland.
    Ie = "ie",
}
