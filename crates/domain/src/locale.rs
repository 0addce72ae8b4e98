//! The languages in which users are addressed.

use std::{fmt, str::FromStr};

use crate::text::InvalidText;

/// Makes a catalogue: a type that says things in a language.
///
/// Each line is a function of its language, so that the compiler sees to it that no language lacks a line, that each uses exactly the same
/// placeholders, and that whoever asks for a line fills all of them. What is filled in is never read for placeholders again.
#[macro_export]
macro_rules! catalogue {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $line:ident($($placeholder:ident),*) { En: $en:literal, De: $de:literal $(,)? })+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy)]
        pub(crate) struct $name(pub(crate) $crate::locale::Locale);

        impl $name {
            $($(#[doc = $doc])+
            pub(crate) fn $line(self $(, $placeholder: &str)*) -> String {
                match self.0 {
                    $crate::locale::Locale::En => format!($en $(, $placeholder = $placeholder)*),
                    $crate::locale::Locale::De => format!($de $(, $placeholder = $placeholder)*),
                }
            })+
        }
    };
}

/// A language that there is a catalogue of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Locale {
    /// English, where nobody asks for another.
    #[default]
    En,
    /// German.
    De,
}

/// Wishes that are looked at: nobody reads twenty languages, and what comes is anybody's to write.
const MOST_WISHES: usize = 20;

impl Locale {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// Its tag (RFC 5646), as HTML has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The best there is for somebody: what the app asks for (`ui_locales`, OpenID Connect Core §3.1.2.1: tags with spaces between, the best
    /// first) before what the browser says (`Accept-Language`, RFC 9110 §12.5.4). What can't be read is no wish.
    pub fn best_of(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        let by_app = ui_locales.unwrap_or_default().split(' ').take(MOST_WISHES).find_map(Self::of_tag);
        by_app.or_else(|| Self::of_browser(accept_language?)).unwrap_or_default()
    }

    /// The wish with the highest weight, of equal ones the first. One of weight 0 is none.
    fn of_browser(accept_language: &str) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        for wish in accept_language.split(',').take(MOST_WISHES) {
            let (tag, parameter) = wish.split_once(';').unwrap_or((wish, ""));
            let weight = weight(parameter.trim());
            let Some(locale) = Self::of_tag(tag.trim()) else { continue };
            if weight > best.map_or(0, |(best, _)| best) {
                best = Some((weight, locale));
            }
        }
        best.map(|(_, locale)| locale)
    }

    /// `de-AT` is German.
    fn of_tag(tag: &str) -> Option<Self> {
        let language = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|locale| locale.as_str().eq_ignore_ascii_case(language))
    }
}

/// In thousandths; without one, 1; one that can't be read is none (RFC 9110 §12.4.2).
fn weight(parameter: &str) -> u16 {
    if parameter.is_empty() {
        return 1000;
    }
    let Some(value) = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")) else { return 0 };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return 0;
    }
    match whole {
        "1" if fraction.bytes().all(|b| b == b'0') => 1000,
        "0" => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Locale {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(InvalidText("must be `en` or `de`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apps_wish_goes_before_the_browsers() {
        assert_eq!(Locale::best_of(Some("de"), Some("en")), Locale::De);
        assert_eq!(Locale::best_of(Some("fr de-AT en"), Some("en")), Locale::De);
        assert_eq!(Locale::best_of(Some("fr"), Some("de")), Locale::De);
        assert_eq!(Locale::best_of(Some(""), None), Locale::En);
        assert_eq!(Locale::best_of(None, None), Locale::En);
    }

    #[test]
    fn a_browser_weighs_its_wishes() {
        let of = |text| Locale::best_of(None, Some(text));
        let german = [
            "de",
            "DE",
            "de-DE,de;q=0.9,en;q=0.8",
            "fr, de-CH;q=0.7, en;q=0.3",
            "en;q=0.5,de",
            "en;q=0,de;q=0.001",
            "en;q=x,de;q=0.1",
            "en ; q=0.5 , de ; q=0.501",
        ];
        for text in german {
            assert_eq!(of(text), Locale::De, "{text}");
        }
        let english = [
            "",
            ",;,",
            "*",
            "fr",
            "en,de",
            "de;q=0",
            "de;q=0.000,fr",
            "de;q=1.5",
            "de;q=0.1234",
            "deutsch",
            "de;q=0.5;x=1,en;q=0.4",
            "de_DE",
        ];
        for text in english {
            assert_eq!(of(text), Locale::En, "{text}");
        }
    }

    #[test]
    fn of_a_list_without_end_the_first_few_are_looked_at() {
        let long = format!("{}de", "fr,".repeat(1_000_000));
        assert_eq!(Locale::best_of(None, Some(&long)), Locale::En);
    }
}
