//! What apps and browsers say of languages: on the first line as `ui_locales`, below as `Accept-Language`.
#![no_main]

use countersign_domain::locale::Locale;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (by_app, by_browser) = text.split_once('\n').unwrap_or((text, ""));
    let best = Locale::best_of(Some(by_app), Some(by_browser));
    assert_eq!(best.as_str().parse(), Ok(best));
    // Nobody is spoken to in a language that nobody named.
    let names = |text: &str| {
        let tags = text.split([' ', ',', ';', '\t']).map(|tag| tag.split('-').next().unwrap_or_default());
        tags.into_iter().any(|language| language.eq_ignore_ascii_case(best.as_str()))
    };
    let is_named = names(by_app) || by_browser.split([',', ';']).any(|wish| names(wish.trim()));
    assert!(best == Locale::default() || is_named, "{best} was not named");
    // What the app asks for goes before what the browser says, and a wish that is none changes nothing.
    for locale in Locale::ALL {
        assert_eq!(Locale::best_of(Some(locale.as_str()), Some(by_browser)), locale);
    }
    assert_eq!(Locale::best_of(None, Some(by_browser)), Locale::best_of(Some("tlh"), Some(by_browser)));
});
