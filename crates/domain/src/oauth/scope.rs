//! Scopes (RFC 6749 §3.3): what a client asks for, as a set of words.

use std::fmt;

/// A list of scopes, each once, in the order in which they were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(Vec<Box<str>>);

/// A text that is no list of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a list of scopes")]
pub struct InvalidScopes;

/// More than any client means.
const MOST: usize = 64;
const LONGEST: usize = 1024;

impl Scopes {
    /// Reads words with single spaces between; none: empty.
    pub fn parse(text: &str) -> Result<Self, InvalidScopes> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > LONGEST {
            return Err(InvalidScopes);
        }
        let mut scopes: Vec<Box<str>> = Vec::new();
        for word in text.split(' ') {
            let is_word = !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
            if !is_word || scopes.len() == MOST {
                return Err(InvalidScopes);
            }
            if !scopes.iter().any(|known| **known == *word) {
                scopes.push(word.into());
            }
        }
        Ok(Self(scopes))
    }

    /// Is it among them?
    pub fn has(&self, scope: &str) -> bool {
        self.0.iter().any(|known| **known == *scope)
    }

    /// Is all of this among those?
    pub fn is_within(&self, others: &Self) -> bool {
        self.0.iter().all(|scope| others.has(scope))
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|scope| &**scope)
    }

    /// These, and others beside.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        let new = others.0.iter().filter(|scope| !self.has(scope));
        Self(self.0.iter().chain(new).cloned().collect())
    }

    /// Without one of them.
    #[must_use]
    pub fn without(&self, scope: &str) -> Self {
        Self(self.0.iter().filter(|known| ***known != *scope).cloned().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_words_each_once() {
        let scopes = Scopes::parse("openid email openid").unwrap();
        assert_eq!(scopes.to_string(), "openid email");
        assert!(scopes.has("email") && !scopes.has("mail") && !scopes.is_empty());
        assert!(Scopes::parse("email").unwrap().is_within(&scopes));
        assert!(!Scopes::parse("email admin").unwrap().is_within(&scopes));
        assert!(Scopes::parse("").unwrap().is_empty());
        assert_eq!(scopes.without("openid").to_string(), "email");
    }

    #[test]
    fn what_is_no_list_of_words_is_refused() {
        let many = (0..65).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        for text in [" ", "a  b", " a", "a ", "a\tb", "a\"b", "a\\b", "ä", "a\nb", &many, &"a".repeat(1025)] {
            assert_eq!(Scopes::parse(text), Err(InvalidScopes), "{text:?}");
        }
    }
}
