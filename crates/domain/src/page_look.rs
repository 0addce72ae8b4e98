//! How a project's own pages look: what an operator may choose, such that nobody can choose what can't be read.

use std::{fmt, str::FromStr};

use crate::text::InvalidText;

/// Where a logo is fetched from: a plain `https` address, so that it can stand in a content security policy and in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLogo(Box<str>);

impl PageLogo {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PageLogo {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'%');
        let has_path = |rest: &str| rest.find('/').is_some_and(|at| at > 0);
        match text.strip_prefix("https://") {
            Some(rest) if text.len() <= 512 && has_path(rest) && rest.bytes().all(is_plain) => Ok(Self(text.into())),
            _ => Err(InvalidText("must be an address like `https://cdn.example.com/logo.svg`, without query")),
        }
    }
}

/// A colour, as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageColor([u8; 3]);

impl PageColor {
    /// Whether black or white is easier to read on it: whichever has the greater contrast (WCAG 2.2, relative luminance). It is at least 4.5 : 1.
    pub fn ink(self) -> &'static str {
        let on_white = 1.05 / (self.luminance() + 0.05);
        let on_black = (self.luminance() + 0.05) / 0.05;
        if on_white >= on_black { "#fff" } else { "#000" }
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for PageColor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl FromStr for PageColor {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let read = || {
            let digits =
                text.strip_prefix('#').filter(|it| it.len() == 6 && it.bytes().all(|b| b.is_ascii_hexdigit()))?;
            let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
            Some(Self([red, green, blue]))
        };
        read().ok_or(InvalidText("must be a colour like `#0b57b5`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_on_a_colour_can_be_read() {
        let ink = |color: &str| color.parse::<PageColor>().unwrap().ink();
        assert_eq!([ink("#000000"), ink("#0b57b5"), ink("#FFFFFF"), ink("#ffee00")], ["#fff", "#fff", "#000", "#000"]);
        for red in 0..=255_u8 {
            let color = PageColor([red, 255 - red, red / 2]);
            let (dark, light) = (color.luminance() + 0.05, 1.05);
            let contrast = if color.ink() == "#fff" { light / dark } else { dark / 0.05 };
            assert!(contrast >= 4.5, "{color}: {contrast}");
        }
    }

    #[test]
    fn nothing_else_can_be_smuggled_into_a_page_or_its_policy() {
        let color = "#0B57b5".parse::<PageColor>().unwrap();
        assert_eq!(color.to_string(), "#0b57b5");
        for text in ["", "red", "#fff", "#0b57b", "#0b57b5;", "#+b57b5", "#é57b5"] {
            assert!(text.parse::<PageColor>().is_err(), "{text}");
        }
        assert!("https://cdn.example.com/logo.svg".parse::<PageLogo>().is_ok());
        for text in [
            "http://cdn.example.com/logo.svg",
            "https://cdn.example.com",
            "https:///logo.svg",
            "https://cdn.example.com/logo.svg; script-src *",
            "https://cdn.example.com/a,b",
            "https://cdn.example.com/\"onerror",
            "https://user@cdn.example.com/logo.svg",
            "https://cdn.example.com/logo.svg?a",
        ] {
            assert!(text.parse::<PageLogo>().is_err(), "{text}");
        }
    }
}
